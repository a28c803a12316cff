"""The platform's own log: JSON with ids, and no secret in it whichever way it comes."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from priostack import log
from priostack.middleware import correlation

TOKEN = "ps_" + "A1b2C3d4" * 5


class Heard:
    """A logger that writes as configured, into memory."""

    def __init__(self, *, human: bool = False) -> None:
        self.out = io.StringIO()
        handler = logging.StreamHandler(self.out)
        handler.setFormatter(log.formatter(human=human))
        self.logger = logging.getLogger("tests.log")
        self.logger.handlers = [handler]
        self.logger.propagate = False
        self.logger.setLevel("INFO")

    def last(self) -> dict[str, Any]:
        entry: dict[str, Any] = json.loads(self.out.getvalue().splitlines()[-1])
        return entry


@pytest.fixture
def heard() -> Iterator[Heard]:
    yield Heard()
    structlog.contextvars.clear_contextvars()


def test_an_entry_is_one_json_object_with_its_ids(heard: Heard) -> None:
    token = correlation.set("abc-123")
    structlog.contextvars.bind_contextvars(execution="0190")
    heard.logger.warning("could not wake %s", "the data planes")
    correlation.reset(token)
    entry = heard.last()
    assert entry["event"] == "could not wake the data planes"
    assert (entry["level"], entry["logger"]) == ("warning", "tests.log")
    assert (entry["correlation"], entry["execution"]) == ("abc-123", "0190")
    assert entry["timestamp"].endswith("Z")


def test_line_breaks_cannot_forge_an_entry(heard: Heard) -> None:
    heard.logger.info('x\n{"event": "forged"}')
    assert len(heard.out.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"key {TOKEN} was used",
        f"Authorization: Bearer {TOKEN[3:]}",
        "postgresql://shop:hunter2hunter@db.example/shop",
        "https://git.example/?token=hunter2hunter&x=1",
        '{"password": "hunter2hunter"}',
    ],
)
def test_secrets_in_a_text_are_masked(heard: Heard, text: str) -> None:
    heard.logger.info(text)
    assert "hunter2hunter" not in heard.out.getvalue()
    assert TOKEN[3:] not in heard.out.getvalue()
    assert log.MASK in heard.last()["event"]


def test_secrets_in_fields_and_tracebacks_are_masked(heard: Heard) -> None:
    structlog.contextvars.bind_contextvars(
        api_key="hunter2", deep={"Set-Cookie": ["hunter2"], "plain": "stays"}
    )
    try:
        raise ValueError(f"bad key {TOKEN}")
    except ValueError:
        heard.logger.exception("failed")
    entry = heard.last()
    assert "hunter2" not in json.dumps(entry)
    assert entry["deep"]["plain"] == "stays"
    assert "ValueError: bad key" in entry["exception"]
    assert TOKEN not in entry["exception"]


def test_people_at_a_terminal_read_plain_lines_that_are_masked_too() -> None:
    heard = Heard(human=True)
    heard.logger.info("key %s", TOKEN)
    assert "key" in heard.out.getvalue()
    assert not heard.out.getvalue().startswith("{")
    assert TOKEN not in heard.out.getvalue()


def test_a_human_traceback_is_masked_too() -> None:
    heard = Heard(human=True)
    try:
        raise ValueError(f"bad key {TOKEN}")
    except ValueError:
        heard.logger.exception("failed")
    assert "ValueError" in heard.out.getvalue()
    assert TOKEN not in heard.out.getvalue()
