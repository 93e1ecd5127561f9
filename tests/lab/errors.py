"""What can go wrong in the lab itself."""


class LabError(Exception):
    """The lab could not be built, or a program in it failed."""
