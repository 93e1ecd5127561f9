"""What a prober, or what stands in its way, may say where nothing can be reached."""

from collections.abc import Callable
import json
from typing import Any, Final
import zlib

from tests.fakes.reply import Reply

from .liar import NODES, Kind, Lie, Stream

OTHER: Final = "11.22.33.77"
"""An address of somebody else's."""
_BOMB_SIZE: Final = 64 * 1024 * 1024


def _said(change: Callable[[bytes], bytes]) -> Lie:
    """Return what says a good answer's bytes otherwise."""
    return lambda good: Reply(body=change(json.dumps(good).encode()), content_type="x/json")


def _with(**members: object) -> Lie:
    return lambda good: good | members


def _without(key: str) -> Lie:
    return lambda good: {name: value for name, value in good.items() if name != key}


def _bomb(good: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(good)
    for _ in range(_BOMB_SIZE >> 20):
        packed += packer.compress(b" " * (1 << 20))
    return packed + packer.flush()


def _status(status: int, **headers: str) -> Lie:
    return lambda good: Reply(
        status=status, body=json.dumps(good), content_type="application/json", headers=headers
    )


def _twice(good: bytes) -> bytes:
    """Return an object with each member twice; the good one is the last."""
    members = json.loads(good)
    bad = dict.fromkeys(members)
    return json.dumps(bad).encode()[:-1] + b", " + good[1:]


# What is the same for all of them. A good answer is inside of most.
WAYS: Final[dict[str, Lie]] = {
    "closes": lambda _: Reply(drop=True),
    "portal": lambda _: Reply.redirect("/portal/{port}?kind={kind}"),
    "portal elsewhere": lambda _: Reply.redirect("https://{kind}.invalid/portal/{port}"),
    "page": _said(lambda good: b"<html><script>x = " + good + b"</script></html>"),
    "401": _status(401),
    "500": _status(500),
    "204": _status(204),
    "endless": lambda _: Stream(b" " * 65_536),
    "gzip bomb": lambda good: Reply(
        body=_bomb(json.dumps(good).encode()), headers={"Content-Encoding": "gzip"}
    ),
    "no gzip": lambda good: Reply(body=json.dumps(good), headers={"Content-Encoding": "gzip"}),
    "long": _said(lambda good: good + b" " * 100_000),
    "too deep": _said(lambda _: b"[" * 4000),
    "in a list": _said(lambda good: b"[" + good + b"]"),
    "in a text": _said(lambda good: json.dumps(good.decode()).encode()),
    "half": _said(lambda good: good[: len(good) // 2]),
    "two": _said(lambda good: good + good),
    "members twice": _said(_twice),
    "not a number": _said(lambda good: b'{"more": NaN, ' + good[1:]),
    "UTF-16": _said(lambda good: good.decode().encode("utf-16")),
    "empty": _said(lambda _: b""),
    "null": _said(lambda _: b"null"),
    "true": _said(lambda _: b"true"),
}
SLOW: Final[dict[str, Lie]] = {
    "hangs": lambda _: Reply(hang=True),
    "drips": lambda _: Stream(b" ", pause=0.2),
}
"""Those that take as long as is waited for them."""
BUSY: Final = _status(429, **{"Retry-After": "1"})
"""Nobody asks such a prober again for a while."""


def _nodes(*said: object) -> Lie:
    """Return what the nodes of check-host.net say."""
    return lambda _: {node: [each] for node, each in zip(NODES, said, strict=False)}


def _node(**members: object) -> Lie:
    return lambda good: {node: [said[0] | members] for node, said in good.items()}


def _probes(**members: object) -> Lie:
    """Return what the probes of Globalping say, with changes."""

    def change(good: Any) -> Any:
        results = [each | {"result": {**each["result"], **members}} for each in good["results"]]
        return good | {"results": results}

    return change


def _options(**members: object) -> Lie:
    return lambda good: good | {"measurementOptions": good["measurementOptions"] | members}


def _check(**members: object) -> Lie:
    """Return what portchecker.io says of the port, with changes."""
    return lambda good: good | {"check": [good["check"][0] | members]}


_TIMED_OUT: Final = {"error": "Connection timed out"}

LIES: Final[dict[Kind, dict[str, Lie]]] = {
    Kind.OWN: {
        "another port": _with(port=1),
        "its port as a text": lambda good: good | {"port": str(good["port"])},
        "its port with a fraction": lambda good: good | {"port": float(good["port"])},
        "no port": _without("port"),
        "another address": _with(address=OTHER),
        "a mapped address": lambda good: good | {"address": f"::ffff:{good['address']}"},
        "two addresses": lambda good: good | {"address": [good["address"], OTHER]},
        "no address": _without("address"),
        "another transport": _with(transport="udp"),
        "a truth value": _with(outcome=True),
        "a word in a list": _with(outcome=["accepted"]),
        "another word": _with(outcome="reachable"),
        "in capitals": _with(outcome="ACCEPTED"),
        "a nonce out of nowhere": _with(nonce=True),
        "a nonce of 1": _with(nonce=1),
        "a nonce in words": _with(nonce="true"),
        "no nonce": _without("nonce"),
    },
    Kind.ECHOIP: {
        "another port": _with(port=1),
        "its port as a text": lambda good: good | {"port": str(good["port"])},
        "its port with a fraction": lambda good: good | {"port": float(good["port"])},
        "no port": _without("port"),
        "another address": _with(ip=OTHER),
        "an address with a port": lambda good: good | {"ip": f"{good['ip']}:{good['port']}"},
        "an address as a number": _with(ip=0x0B162101),
        "no address": _without("ip"),
        "reachable as a text": _with(reachable="true"),
        "reachable as 1": _with(reachable=1),
        "reachable in a list": _with(reachable=[True]),
        "reachable in an object": _with(reachable={"tcp": True}),
        "not reachable, and not": _without("reachable"),
    },
    Kind.CHECK_HOST: {
        "another address": _node(address=OTHER),
        "one of three": _nodes({"address": "11.22.33.1", "time": 0.1}, _TIMED_OUT, _TIMED_OUT),
        "an error as well": _node(error="Connection timed out"),
        "no time": _node(time=None),
        "a time in words": _node(time="0.02"),
        "a time that is true": _node(time=True),
        "no list": lambda good: {node: said[0] for node, said in good.items()},
        "twice": lambda good: {node: said * 2 for node, said in good.items()},
    },
    Kind.GLOBALPING: {
        "another measurement": _with(id="m1"),
        "another port": _options(port=1),
        "the port that is left out": lambda good: (
            good | {"measurementOptions": {"protocol": "TCP"}}
        ),
        "an echo request": _options(protocol="ICMP"),
        "over HTTP": _with(type="http"),
        "another address": _with(target=OTHER),
        "another address was dialled": _probes(resolvedAddress=OTHER),
        "nobody was dialled": _probes(resolvedAddress=None),
        "a reply and a lost packet": _probes(timings=[{"rtt": -1}]),
        "a reply without a time": _probes(timings=[]),
        "no reply with a time": _probes(stats={"rcv": 0}),
        "true replies": _probes(stats={"rcv": True}),
        "one of three": lambda good: (
            good
            | {
                "results": [
                    good["results"][0],
                    *_probes(timings=[{"rtt": -1}], stats={"rcv": 0})(good)["results"][1:],
                ]
            }
        ),
        "a crowd": lambda good: good | {"results": good["results"] * 2},
        "nobody has looked": _probes(status="failed", rawOutput="connect ENETUNREACH"),
        "no results": _with(results=[]),
    },
    Kind.PORTCHECKER: {
        "another address": _with(host=OTHER),
        "another port": _check(port=1),
        "status as a text": _check(status="true"),
        "status as 1": _check(status=1),
        "its port as a text": lambda good: _check(port=str(good["check"][0]["port"]))(good),
        "two ports": lambda good: good | {"check": good["check"] * 2},
        "an error as well": _with(error=True),
        "no checks": _with(check=[]),
    },
}
NEVER_DONE: Final[dict[Kind, dict[str, Lie]]] = {
    Kind.CHECK_HOST: {
        "nodes that nobody asked": lambda good: {f"x{node}": said for node, said in good.items()},
    },
    Kind.GLOBALPING: {
        "in progress for ever": lambda good: (
            _probes(status="in-progress")(good) | {"status": "in-progress"}
        ),
    },
}
"""Slow ones of some."""
