"""Fixtures for the tests of the lab itself."""

from .fixtures import authority, make_lab, pytest_terminal_summary

__all__ = ["authority", "make_lab", "pytest_terminal_summary"]
