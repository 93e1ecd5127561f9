"""Tests of the outside room."""
