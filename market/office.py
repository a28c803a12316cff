"""Who leads: a lease in Redis, held by one driver at a time, and a term in the database that fences its rounds.

Whoever lost the lease neither takes messages nor sends any: the scripts look at it in the same step.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import cast

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing.redis import redis
from market import past, wire
from market.debts import Debt, merged
from market.ear import Ear
from market.leading import Office
from market.models import Leadership, Round

LEASE = "market:lease"
PROCESSES = "market:processes"
LEASE_MS = 3_000
DEBTS = "market:debts"  # a hash: action -> Debt; and under UPTO the last round whose debts are in it
UPTO = "upto"
BATCH = 500
ROUNDS = 10  # how far back grants are sent again
TAKE = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('pexpire', KEYS[1], ARGV[2])
return redis.call('lpop', KEYS[2], ARGV[3]) or {}
"""
SEND = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
    redis.call('rpush', KEYS[i], ARGV[i + 1])
    redis.call('expire', KEYS[i], ARGV[2])
end
return 1
"""
TELL = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[2], ARGV[2])
redis.call('publish', KEYS[2], ARGV[2])
return 1
"""
OWE = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do
    if ARGV[i + 1] == '' then redis.call('hdel', KEYS[2], ARGV[i])
    else redis.call('hset', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1
"""
RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
LEAVE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class Lost(Exception):
    """Another driver holds the lease, or nobody does."""


class Lease:
    """Redis as a leader uses it; `token` is the holder's."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._redis = redis()
        self._ear = Ear(self._redis, wire.INBOX)
        self._scripts = {
            text: self._redis.register_script(text) for text in (TAKE, SEND, TELL, OWE, RENEW, LEAVE)
        }

    def gain(self) -> bool:
        return bool(self._redis.set(LEASE, self.token, nx=True, px=LEASE_MS))

    def wait(self, seconds: float) -> None:
        """Until there is a message, which stays where it is; at most so long."""
        self._ear.wait(seconds)

    def take(self) -> list[bytes]:
        """The next messages; it renews the lease."""
        found = self._scripts[TAKE](keys=[LEASE, wire.INBOX], args=[self.token, LEASE_MS, BATCH])
        if found == 0:
            raise Lost
        return cast(list[bytes], found)

    def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        keys = [LEASE, *(wire.outbox(process) for process, _ in messages)]
        self._run(SEND, keys, [wire.OUTBOX_S, *(data for _, data in messages)])

    def tell(self, state: bytes) -> None:
        self._run(TELL, [LEASE, wire.STATE], [state])

    def owe(self, changed: Mapping[str, Debt | None], upto: int) -> None:
        args: list[str | bytes | int] = [UPTO, upto]
        for id, debt in changed.items():
            args += (id, b"" if debt is None else orjson.dumps(list(debt)))
        self._run(OWE, [LEASE, DEBTS], args)

    def debts(self) -> tuple[dict[str, Debt], int | None]:
        """As they were written down last, and up to which round; None: this store knows of none."""
        kept = cast(dict[bytes, bytes], self._redis.hgetall(DEBTS))
        upto = kept.pop(UPTO.encode(), None)
        return {
            id.decode(): Debt(*orjson.loads(one)) for id, one in kept.items()
        }, None if upto is None else int(upto)

    def renew(self) -> None:
        """Only if it is still held; from any thread."""
        self._scripts[RENEW](keys=[LEASE], args=[self.token, LEASE_MS])

    def leave(self) -> None:
        self._ear.close()
        self._scripts[LEAVE](keys=[LEASE], args=[self.token])

    def _run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> None:
        if not self._scripts[script](keys=keys, args=[self.token, *args]):
            raise Lost

    def processes(self) -> list[str]:
        return sorted(name.decode() for name in cast(set[bytes], self._redis.smembers(PROCESSES)))

    def met(self, processes: Iterable[str]) -> None:
        self._redis.sadd(PROCESSES, *processes)

    def gone(self, processes: Iterable[str]) -> None:
        self._redis.srem(PROCESSES, *processes)


@transaction.atomic
def take(
    holder: str,
    processes: Iterable[str] = (),
    debts: Mapping[str, Debt] | None = None,
    upto: int | None = None,
) -> Office:
    """A new term: no round of an older one is written from here on."""
    Leadership.objects.get_or_create(pk=Leadership.ONLY)
    lead = Leadership.objects.select_for_update().get(pk=Leadership.ONLY)
    Leadership.objects.update(term=F("term") + 1, holder=holder[:100], until=until())
    rows = Round.objects.filter(number__gt=lead.number - ROUNDS).order_by("number")
    before = [past.past(row, settings.MARKET) for row in rows]
    later = [one.debts for one in before if upto is not None and one.number > upto]
    return Office(
        term=lead.term + 1,
        number=lead.number,
        past=before,
        processes=list(processes),
        debts=merged(debts or {}, later),
    )


def until() -> object:
    return timezone.now() + timedelta(milliseconds=LEASE_MS)


def stay(term: int) -> None:
    """For people who look at the row."""
    Leadership.objects.filter(term=term).update(until=until())
