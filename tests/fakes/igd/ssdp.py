"""SSDP of the simulated gateway: answers searches, says alive and byebye."""

import asyncio
from ipaddress import IPv4Address
import socket
from typing import override

from async_upnp_client.const import AddressTupleVXType
from async_upnp_client.server import SsdpSearchResponder, UpnpServerDevice
from async_upnp_client.ssdp import SSDP_DISCOVER, SSDP_IP_V4, SsdpProtocol, build_ssdp_packet
from async_upnp_client.utils import CaseInsensitiveDict


class Ssdp(SsdpSearchResponder):
    """One IPv4 socket for everything, as on a router.

    The library's own responder is not used as it is: it answers from another port than it was
    asked on, keeps that socket open after its end, cannot listen on unicast alone, and leaves a
    timer behind while it waits for MX. Its announcer needs minutes for one round.
    On a loopback address there is no multicast: only unicast searches are answered.
    """

    def __init__(self, device: UpnpServerDevice, host: str, port: int) -> None:
        """`host`: the IPv4 address on the LAN; `port`: 1900, or 0 for any in a test."""
        super().__init__(device, source=(host, 0))
        self._host = IPv4Address(host)
        self.port = port

    @override
    async def async_start(self) -> None:
        """Listen, and announce the gateway; raises OSError when the port is taken."""
        multicast = not self._host.is_loopback
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if multicast:
                group = IPv4Address(SSDP_IP_V4).packed + self._host.packed
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, self._host.packed)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
            sock.bind(("" if multicast else str(self._host), self.port))
            sock.setblocking(False)
            self.port = sock.getsockname()[1]
        except OSError:
            sock.close()
            raise
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: SsdpProtocol(asyncio.get_running_loop(), on_data=self._on_data), sock=sock
        )
        self._transport = self._response_transport = transport
        if multicast:
            self._announce("ssdp:alive")

    @override
    async def async_stop(self) -> None:
        """Say goodbye and close the socket."""
        assert self._transport is not None
        if not self._host.is_loopback:
            self._announce("ssdp:byebye")
        self._transport.close()

    @override
    def _on_data(self, request_line: str, headers: CaseInsensitiveDict) -> None:
        if request_line != "M-SEARCH * HTTP/1.1" or headers.get_lower("man") != SSDP_DISCOVER:
            return
        sender: AddressTupleVXType = headers.get_lower("_remote_addr")
        self._send_responses(sender, self._build_responses(headers))

    def _announce(self, kind: str) -> None:
        """Send a NOTIFY for every device and service (UPnP Device Architecture 1.1 1.2.2)."""
        assert self._transport is not None
        for target, name in self._targets():
            packet = build_ssdp_packet(
                "NOTIFY * HTTP/1.1",
                {
                    "HOST": f"{SSDP_IP_V4}:1900",
                    "CACHE-CONTROL": "max-age=1800",
                    "LOCATION": f"{self.device.base_uri}{self.device.device_url}",
                    "NT": target,
                    "NTS": kind,
                    "USN": name,
                    "BOOTID.UPNP.ORG": str(self.device.boot_id),
                    "CONFIGID.UPNP.ORG": str(self.device.config_id),
                },
            )
            self._transport.sendto(packet, (SSDP_IP_V4, 1900))

    def _targets(self) -> list[tuple[str, str]]:
        root = self.device.udn
        targets = [("upnp:rootdevice", f"{root}::upnp:rootdevice")]
        for device in self.device.all_devices:
            targets.append((device.udn, device.udn))
            targets.append((device.device_type, f"{device.udn}::{device.device_type}"))
        for service in self.device.all_services:
            owner = service.device.udn
            targets.append((service.service_type, f"{owner}::{service.service_type}"))
        return targets
