"""For tests that look at many lines."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.lab.build import Lab
from tests.lab.fixtures import MakeLab

from . import LINES
from .common import Line

type StartLine = Callable[[str], tuple[Lab, Line]]


@pytest.fixture(scope="module")
def start_line(make_lab: MakeLab) -> StartLine:
    """Build the line of a name, once for all tests of a module."""

    @cache
    def start(name: str) -> tuple[Lab, Line]:
        line = LINES[name]()
        return make_lab(line.topology), line

    return start
