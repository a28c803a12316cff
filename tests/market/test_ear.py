"""The leader's ear: it hears what came, leaves it where it is, and is right after its connection was cut."""

import threading
import time
from collections.abc import Iterator

import pytest
from redis.exceptions import RedisError

from billing.redis import redis
from market.ear import Ear

NAME = "test:ear"


@pytest.fixture
def ear(clean_redis: None) -> Iterator[Ear]:
    found = Ear(redis(), NAME)
    yield found
    found.close()


def test_its_own_time_is_over_while_the_servers_is_not_and_nothing_is_lost(ear: Ear) -> None:
    for _ in range(3):
        ear.wait(0.001)
    redis().rpush(NAME, b"one", b"two")
    ear.wait(20)  # the question of the first wait, whose answer comes now
    ear.wait(20)
    assert redis().lrange(NAME, 0, -1) == [b"one", b"two"]


def test_it_wakes_when_something_comes(ear: Ear) -> None:
    later = threading.Timer(0.2, lambda: redis().rpush(NAME, b"one"))
    later.start()
    began = time.monotonic()
    ear.wait(60)
    later.join()
    assert time.monotonic() - began < 30


def test_after_its_connection_was_cut_it_asks_on_another_one(ear: Ear) -> None:
    ear.wait(0.001)
    assert redis().client_kill_filter(_type="normal", skipme=True) >= 1
    with pytest.raises((RedisError, OSError)):
        ear.wait(20)
    redis().rpush(NAME, b"one")
    ear.wait(20)
    assert redis().lrange(NAME, 0, -1) == [b"one"]
