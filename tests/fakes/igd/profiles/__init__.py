"""Every known quirk of routers as a router that has it, with what must come of it."""

from tests.fakes.igd.profiles.descriptions import DESCRIPTIONS
from tests.fakes.igd.profiles.model import Outcome, Profile
from tests.fakes.igd.profiles.refusals import REFUSALS
from tests.fakes.igd.profiles.tables import TABLES

PROFILES = {profile.name: profile for profile in (*DESCRIPTIONS, *REFUSALS, *TABLES)}

__all__ = ["PROFILES", "Outcome", "Profile"]
