"""How much fuzzing a run does: a little in every run, HOMEPORT_FUZZ=100000 for a long one.

A long one also needs "--timeout 0": it takes minutes for a test.
"""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("HOMEPORT_FUZZ", "300"))

fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""Decorates a hypothesis test of a parser. Hypothesis's --hypothesis-seed makes it repeatable."""
