"""What Redis keeps, as JSON lines that any Redis or Valkey takes back: for export, backup and restore."""

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from billing.redis import redis

Entry = dict[str, Any]
READ: dict[str, Callable[[Any, bytes], list[bytes]]] = {
    "string": lambda client, key: [client.get(key)],
    "hash": lambda client, key: [part for pair in client.hgetall(key).items() for part in pair],
    "list": lambda client, key: client.lrange(key, 0, -1),
    "set": lambda client, key: sorted(client.smembers(key)),
    "zset": lambda client, key: [
        part for pair in client.zrange(key, 0, -1, withscores=True) for part in scored(pair)
    ],
}
WRITE = {"string": "SET", "hash": "HSET", "list": "RPUSH", "set": "SADD", "zset": "ZADD"}
CHUNK = 1000  # parts of one command; even, so that pairs stay together


def scored(pair: tuple[bytes, float]) -> tuple[bytes, bytes]:
    """As ZADD takes it: the score first, exact."""
    return repr(pair[1]).encode(), pair[0]


def dump(pattern: str) -> Iterator[Entry]:
    """Every key that matches, but ones that vanish meanwhile and streams, which only carry messages."""
    client: Any = redis()
    for key in client.scan_iter(match=pattern, count=1000):
        kind = client.type(key).decode()
        if kind not in READ:
            continue
        parts = READ[kind](client, key)
        if parts and parts[0] is not None:
            entry = {"key": text(key), "type": kind, "value": [text(part) for part in parts]}
            left = client.pttl(key)
            yield entry | ({"ttl_ms": left} if left > 0 else {})


def load(entries: Iterable[Entry]) -> int:
    """Put the keys back, in place of what is there; how many."""
    client: Any = redis()
    count = 0
    for entry in entries:
        key, parts = raw(entry["key"]), [raw(part) for part in entry["value"]]
        pipe = client.pipeline()
        pipe.delete(key)
        for start in range(0, len(parts), CHUNK):
            pipe.execute_command(WRITE[entry["type"]], key, *parts[start : start + CHUNK])
        if "ttl_ms" in entry:
            pipe.pexpire(key, entry["ttl_ms"])
        pipe.execute()
        count += 1
    return count


def text(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def raw(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
