"""Tests of the ports room."""
