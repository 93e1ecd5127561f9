"""Tests of what the coordinators decide, without Home Assistant."""
