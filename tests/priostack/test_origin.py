"""Websockets are for our own pages and for programs with a key."""

import pytest

from priostack.origin import allowed

BASE = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("origin", "host"),
    [(BASE, "anything"), ("http://localhost:9000", "localhost:9000"), ("https://[::1]", "[::1]")],
)
def test_our_own_pages_may(origin: str, host: str) -> None:
    assert allowed(origin, host, with_key=False)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "localhost:8000"),
        ("https://evil.example", "evil.example"),  # DNS rebinding
        ("http://localhost:6666", "localhost:8000"),  # another port has our cookies too
        ("http://localhost.evil.example", "localhost"),
        ("http://localhost:8000@evil.example", "localhost:8000"),
        ("null", "localhost:8000"),
        ("", ""),
    ],
)
def test_other_pages_may_not_with_or_without_a_key(origin: str, host: str) -> None:
    assert not allowed(origin, host, with_key=False)
    assert not allowed(origin, host, with_key=True)


def test_without_an_origin_only_a_key_opens() -> None:
    assert allowed(None, "localhost:8000", with_key=True)
    assert not allowed(None, "localhost:8000", with_key=False)
