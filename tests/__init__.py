"""Tests of Homeport."""
