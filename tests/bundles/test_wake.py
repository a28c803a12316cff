"""Waking workers while nobody listens costs a moment, not the request."""

import time

import pytest
from celery import current_app

from bundles import wake


def test_a_broker_that_is_gone_is_noticed_soon_and_nothing_is_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = current_app.connection_for_write("redis+socket:///nonexistent/valkey.sock")
    sent = current_app.send_task
    monkeypatch.setattr(current_app, "send_task", lambda *args, **kw: sent(*args, connection=nobody, **kw))
    started = time.monotonic()
    wake.send("runtime.compile", "0" * 64)
    assert time.monotonic() - started < 3
    assert "could not wake runtime.compile" in caplog.text
