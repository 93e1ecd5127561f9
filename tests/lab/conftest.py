"""Fixtures for the tests of the lab itself."""

from .fixtures import authority, make_lab, pytest_terminal_summary
from .lines.fixtures import start_line

__all__ = ["authority", "make_lab", "pytest_terminal_summary", "start_line"]
