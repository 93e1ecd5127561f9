"""Tests of the ddns room."""
