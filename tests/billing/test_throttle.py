"""The limiter counts exactly, also when many ask at once (A088)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from billing.errors import ApiError
from billing.throttle import allow, demand, forget, source

pytestmark = pytest.mark.usefixtures("clean_redis")


def test_the_window_slides():
    assert [allow("k", 2, 10, now) for now in (100.0, 104.0)] == [None, None]
    assert allow("k", 2, 10, 105.0) == 5.0
    assert allow("k", 2, 10, 110.001) is None
    assert allow("k", 2, 10, 111.0) == 3.0


def test_a_refusal_is_not_counted():
    allow("k", 1, 10, 100.0)
    for _ in range(20):
        assert allow("k", 1, 10, 105.0)
    assert allow("k", 1, 10, 110.001) is None


def test_keys_are_apart_and_can_be_forgotten():
    assert allow("a", 1, 10, 100.0) is None
    assert allow("b", 1, 10, 100.0) is None
    forget("a")
    assert allow("a", 1, 10, 100.0) is None


def test_parallel_askers_get_exactly_the_limit():
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: allow("burst", 7, 60, 100.0), range(100)))
    assert answers.count(None) == 7


def test_nothing_is_allowed_by_a_limit_of_zero():
    assert allow("none", 0, 10, 100.0) == 10.0


def test_demand_says_when_to_come_back():
    demand("d", 1, 60)
    with pytest.raises(ApiError) as caught:
        demand("d", 1, 60)
    assert caught.value.status == 429
    assert 1 <= int(caught.value.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("peer", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_a_customer_of_ipv6_is_one_source(peer: str, whose: str) -> None:
    assert source(peer) == whose
