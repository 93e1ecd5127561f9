"""Tests of the Home Assistant side, against a simulated home on loopback."""
