"""Tests of the line room."""
