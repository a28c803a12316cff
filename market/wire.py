"""What processes and the market's leader tell each other, over lists in Redis; a lost message costs time, never money.

Processes push to INBOX; each has a list of its own for answers, `outbox(process)`. Times are Unix milliseconds,
compute is CU, both integers.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

INBOX = "market:inbox"
STATE = "market:state"  # a key with the last state, and the channel on which it is told
OUTBOX_S = 60
GONE_S = 10.0  # a process that was not heard of for so long is gone
BEAT_S = 1.0
Message = dict[str, Any]


class Waiting(NamedTuple):
    """An action as its process submits it. `service` is "<bundle id>/<service>"; `asof` the round of its last grant."""

    id: str
    tenant: str
    service: str
    need: int
    left: int
    submitted: int
    deadline: int
    max_wait: int
    priority: int
    fallback: str
    ceiling: int | None
    auto_bid: bool | None
    bundle: str
    asof: int = 0
    rerun: bool = False
    spent: int = 0  # credits it was charged so far
    degraded: bool = False
    api: bool = True  # its caller waits for it, so nobody runs it again
    stranger: bool = False  # called without a key or a session: it has a spend limit of its own


class Granted(NamedTuple):
    """`charged` credits are booked on this action; `source` as in market.result."""

    id: str
    cu: int
    source: str
    charged: int


class Standing(NamedTuple):
    """An action as its tenant sees it; `rounds` until it is done for nothing, 0 while that is not known yet."""

    id: str
    service: str
    need: int
    left: int
    submitted: int
    deadline: int
    priority: int
    position: int
    rounds: int
    spent: int
    degraded: bool


def outbox(process: str) -> str:
    return f"market:to:{process}"


def submit(process: str, actions: Iterable[Waiting], *, whole: bool = False, term: int = 0) -> bytes:
    """`whole`: it holds no others. `term`: of the last leader that greeted it; 0 for none yet."""
    told = [action._asdict() for action in actions]
    return orjson.dumps({"t": "submit", "p": process, "a": told, "whole": whole, "term": term})


def end(process: str, over: Iterable[tuple[str, int]]) -> bytes:
    """Actions that are over with the CU they used; entries not served yet vanish (R3)."""
    return orjson.dumps({"t": "end", "p": process, "a": list(over)})


def idle(process: str, seq: int) -> bytes:
    """All that came with grants message `seq` is used up or over: a calm round may end (R2)."""
    return orjson.dumps({"t": "idle", "p": process, "n": seq})


def here(process: str, last: int) -> bytes:
    return orjson.dumps({"t": "here", "p": process, "last": last})


def ask(reader: str, tenants: Iterable[str]) -> bytes:
    """Somebody looks at what these tenants have waiting; the answer comes to `outbox(reader)`."""
    return orjson.dumps({"t": "ask", "p": reader, "of": list(tenants)})


def lines(of: dict[str, list[Standing]], waiting: dict[str, tuple[int, int]]) -> bytes:
    """The first of each tenant's actions, and how many actions and entries it has."""
    told = {tenant: [list(one) for one in standing] for tenant, standing in of.items()}
    return orjson.dumps({"t": "lines", "of": told, "waiting": waiting})


def hello(term: int) -> bytes:
    return orjson.dumps({"t": "hello", "term": term})


def grants(  # what one round means for one process
    seq: int,
    number: int,
    price: int,
    *,
    granted: Iterable[Granted] = (),
    ended: Iterable[tuple[str, str, int]] = (),
    degraded: Iterable[str] = (),
    places: Iterable[tuple[str, int, int]] = (),
    backoffs: Iterable[tuple[str, int]] = (),
) -> bytes:
    """`ended`: id, "failed" or "expired", the round's price. `places`: id, position in the queue, rounds to wait.

    `backoffs`: id, how often it has left the queue for some rounds so far (R30).
    """
    return orjson.dumps(
        {
            "t": "grants",
            "n": seq,
            "round": number,
            "price": price,
            "g": [list(one) for one in granted],
            "e": list(ended),
            "d": list(degraded),
            "q": list(places),
            "b": list(backoffs),
        }
    )


def again(grants: bytes) -> bytes:
    """The same message for a process that may have heard of its grants before."""
    return grants[:-1] + b',"again":true}'


def read(data: bytes | str) -> Message:
    message: Message = orjson.loads(data)
    return message


def submitted(message: Message) -> list[Waiting]:
    return [Waiting(**action) for action in message["a"]]


def granted(message: Message) -> list[Granted]:
    return [Granted(*one) for one in message["g"]]
