"""What this machine knows by itself."""

from .source import source_address

__all__ = ["source_address"]
