"""A scriptable UPnP Internet Gateway Device on async-upnp-client's server side."""

from tests.fakes.igd.device import Connection, Identity, Wan
from tests.fakes.igd.fake import FakeIgd
from tests.fakes.igd.faults import SoapFault
from tests.fakes.igd.table import Entry, Key, Quirk

__all__ = ["Connection", "Entry", "FakeIgd", "Identity", "Key", "Quirk", "SoapFault", "Wan"]
