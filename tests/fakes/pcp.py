"""A gateway without UPnP: it speaks PCP (RFC 6887), NAT-PMP (RFC 6886) or both, over IPv4."""

import asyncio
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
import itertools
import struct
import time
from typing import Any, Self, override

_PROTOCOLS = {1: 17, 2: 6}  # NAT-PMP's opcodes as IANA's numbers
_SUCCESS, _UNSUPPORTED, _NOT_AUTHORIZED, _NO_RESOURCES = 0, 1, 2, 8
_MAP_BODY = struct.Struct("!12sB3xHH16s")


class FakePcp(asyncio.DatagramProtocol):
    """Keeps one table for both protocols, as miniupnpd does.

    - `table`: external port by (IANA protocol, client, internal port)
    - `taken`: external ports that others have: the next free one is assigned instead
    - `refuses`: whether every mapping is refused as not authorized
    """

    def __init__(self, *, pcp: bool = True, natpmp: bool = True, wan: str = "11.22.33.44") -> None:
        self.pcp, self.natpmp = pcp, natpmp
        self.wan = IPv4Address(wan)
        self.table: dict[tuple[int, str, int], int] = {}
        self.taken: set[int] = set()
        self.refuses = False
        self.silent = False
        self.longest = 86400
        self.asked = 0
        self._nonces: dict[tuple[int, str, int], bytes] = {}
        self._began = time.monotonic()
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        """The UDP port that it listens at."""
        assert self._transport
        return int(self._transport.get_extra_info("sockname")[1])

    def restart(self) -> None:
        """Lose the table; the time since then begins anew."""
        self.table.clear()
        self._nonces.clear()
        self._began = time.monotonic()

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        # As if it had been up for an hour: else a restart could not be told.
        self._began -= 3600
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport
        self._transport.close()
        await asyncio.sleep(0)

    @override
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked += 1
        if self.silent or len(data) < 2:
            return
        answer = self._natpmp(data, addr[0]) if data[0] == 0 else self._pcp(data)
        if answer and self._transport:
            self._transport.sendto(answer, addr)

    @property
    def _epoch(self) -> int:
        return int(time.monotonic() - self._began)

    def _assign(self, key: tuple[int, str, int], wanted: int) -> int:
        if key in self.table:
            return self.table[key]
        used = self.taken | {
            port for (protocol, *_), port in self.table.items() if protocol == key[0]
        }
        ports: Iterator[int] = itertools.count(wanted or 40000)
        self.table[key] = next(port for port in ports if port not in used)
        return self.table[key]

    def _natpmp(self, data: bytes, client: str) -> bytes | None:
        if not self.natpmp:
            return None
        opcode = data[1]
        if opcode == 0:
            return struct.pack("!BBHI4s", 0, 128, _SUCCESS, self._epoch, self.wan.packed)
        internal, external, lifetime = struct.unpack("!2x2xHHI", data[:12])
        key = _PROTOCOLS[opcode], client, internal
        result = _NOT_AUTHORIZED if self.refuses else _SUCCESS
        if lifetime == 0:
            self.table.pop(key, None)
            external = 0
        elif not self.refuses:
            external = self._assign(key, external)
        lifetime = min(lifetime, self.longest)
        return struct.pack(
            "!BBHIHHI", 0, 128 + opcode, result, self._epoch, internal, external, lifetime
        )

    def _pcp(self, data: bytes) -> bytes | None:
        if not self.pcp:
            return struct.pack("!BBHI", 0, 128, 1, self._epoch) if self.natpmp else None
        opcode, lifetime = data[1], struct.unpack("!I", data[4:8])[0]
        client = IPv6Address(data[8:24]).ipv4_mapped
        if opcode == 0:
            return self._pcp_answer(0, _SUCCESS, 0, b"")
        nonce, protocol, internal, external, _ = _MAP_BODY.unpack(data[24:60])
        key = protocol, str(client), internal
        address = IPv6Address(f"::ffff:{self.wan}").packed
        if self.refuses:
            body = _MAP_BODY.pack(nonce, protocol, internal, external, address)
            return self._pcp_answer(1, _NOT_AUTHORIZED, 30, body)
        if lifetime == 0:
            if key not in self.table:
                result = _NO_RESOURCES
            elif self._nonces.get(key) != nonce:
                result = _NOT_AUTHORIZED
            else:
                result = _SUCCESS
                del self.table[key], self._nonces[key]
            external = 0
        else:
            result, external = _SUCCESS, self._assign(key, external)
            self._nonces[key] = nonce
            lifetime = min(lifetime, self.longest)
        body = _MAP_BODY.pack(nonce, protocol, internal, external, address)
        return self._pcp_answer(1, result, lifetime, body)

    def _pcp_answer(self, opcode: int, result: int, lifetime: int, body: bytes) -> bytes:
        return struct.pack("!BBBBII12x", 2, 128 + opcode, 0, result, lifetime, self._epoch) + body
