"""Who leads: a lease in Redis, held by one driver at a time, and a term in the database that fences its rounds.

Whoever lost the lease neither takes messages nor sends any: the scripts look at it in the same step.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing.redis import redis
from market import past, wire
from market.ear import Ear
from market.leading import Office
from market.models import Leadership, Round

LEASE = "market:lease"
PROCESSES = "market:processes"
LEASE_MS = 3_000
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
        self._scripts = {text: self._redis.register_script(text) for text in (TAKE, SEND, TELL, RENEW, LEAVE)}

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

    def renew(self) -> None:
        """Only if it is still held; from any thread."""
        self._scripts[RENEW](keys=[LEASE], args=[self.token, LEASE_MS])

    def leave(self) -> None:
        self._ear.close()
        self._scripts[LEAVE](keys=[LEASE], args=[self.token])

    def _run(self, script: str, keys: Sequence[str], args: Sequence[bytes | int]) -> None:
        if not self._scripts[script](keys=keys, args=[self.token, *args]):
            raise Lost

    def processes(self) -> list[str]:
        return sorted(name.decode() for name in cast(set[bytes], self._redis.smembers(PROCESSES)))

    def met(self, processes: Iterable[str]) -> None:
        self._redis.sadd(PROCESSES, *processes)

    def gone(self, processes: Iterable[str]) -> None:
        self._redis.srem(PROCESSES, *processes)


@transaction.atomic
def take(holder: str, processes: Iterable[str] = ()) -> Office:
    """A new term: no round of an older one is written from here on."""
    Leadership.objects.get_or_create(pk=Leadership.ONLY)
    lead = Leadership.objects.select_for_update().get(pk=Leadership.ONLY)
    Leadership.objects.update(term=F("term") + 1, holder=holder[:100], until=until())
    rows = Round.objects.filter(number__gt=lead.number - ROUNDS).order_by("number")
    return Office(
        term=lead.term + 1,
        number=lead.number,
        past=[past.past(row, settings.MARKET) for row in rows],
        processes=list(processes),
    )


def until() -> object:
    return timezone.now() + timedelta(milliseconds=LEASE_MS)


def stay(term: int) -> None:
    """For people who look at the row."""
    Leadership.objects.filter(term=term).update(until=until())
