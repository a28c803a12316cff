"""The two doors of the simulation: REST and the command."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from billing import effort
from billing.effort import Effort
from market import api
from market.scenario import MAX_BODY
from tests.market.stage import account, action, play

SCENARIO = {
    "accounts": [{"id": "a"}],
    "actions": [{"account": "a", "service": "s", "need": 225}],
    "rounds": 3,
}
db = pytest.mark.django_db


def post(client: Client, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.post("/api/market/simulate", data, content_type="application/json")


@db
def test_a_scenario_is_played(alice: Any) -> None:
    answer = post(alice.api, SCENARIO)
    assert answer.status_code == 200
    assert answer.json() == play(action("a", 225), accounts=[account("a", bids=False)], rounds=3)


@db
def test_it_needs_a_key() -> None:
    assert post(Client(), SCENARIO).status_code == 401


@db
def test_wrong_values_are_named(alice: Any) -> None:
    answer = post(
        alice.api, {**SCENARIO, "actions": [{"account": "b", "service": "s", "need": 1}], "rounds": 3}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"].startswith("body.actions.0.account:")
    answer = post(alice.api, {**SCENARIO, "rounds": "3"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"].startswith("body.rounds:")


@db
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"rounds": Infinity}', b'{"rounds":' + b"9" * 5_000 + b"}"])
def test_what_is_no_scenario_is_refused(alice: Any, body: bytes) -> None:
    assert post(alice.api, body).status_code in {400, 422}


@db
def test_a_body_that_is_too_large_is_refused(alice: Any) -> None:
    assert post(alice.api, b" " * (MAX_BODY + 1)).status_code == 413


@db
def test_too_much_work_is_refused(alice: Any) -> None:
    many = [{"account": "a", "service": "s", "need": 100, "contract": {"maxWaitTime": 10_000}}] * 10_000
    start = time.process_time()
    answer = post(alice.api, {"accounts": [{"id": "a"}], "actions": many, "rounds": 10_000})
    assert answer.status_code == 422
    assert "turns" in answer.json()["errors"][0]["message"]
    assert time.process_time() - start < 2  # of a second at 100,000 turns, and room for a slow machine


@db
def test_who_has_played_too_much_in_a_minute_waits_and_nobody_else_does(
    alice: Any, bob: Any, clean_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effort, "minute", lambda: 7)
    monkeypatch.setattr(api, "PLAYING", Effort("simulate", 1_000, "Too much."))
    many = {**SCENARIO, "actions": SCENARIO["actions"] * 1_000}  # type: ignore[operator]
    assert [post(alice.api, many).status_code for _ in range(2)] == [200, 429]
    assert 1 <= int(post(alice.api, SCENARIO).headers["retry-after"]) <= 60
    assert post(bob.api, SCENARIO).status_code == 200
    monkeypatch.setattr(effort, "minute", lambda: 8)
    assert post(alice.api, SCENARIO).status_code == 200


def test_the_command_reads_a_file(tmp_path: Path) -> None:
    file, out = tmp_path / "x.json", io.StringIO()
    file.write_text(json.dumps(SCENARIO))
    call_command("market", "simulate", str(file), stdout=out)
    assert [one["served"][0]["cu"] for one in json.loads(out.getvalue())["rounds"]] == [100, 100, 25]


def test_the_command_reads_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(SCENARIO).encode())))
    out = io.StringIO()
    call_command("market", "simulate", "-", stdout=out)
    assert json.loads(out.getvalue())["actions"][0]["doneRound"] == 2


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"rounds": 1, "accounts": [{"id": 5}]}')
    with pytest.raises(CommandError, match=r"accounts\.0\.id"):
        call_command("market", "simulate", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("market", "simulate", str(tmp_path / "none"))
