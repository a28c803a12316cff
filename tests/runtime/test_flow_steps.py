"""The steps of a run: in order, placed in time, cut ones told, and shown as text."""

import json
from typing import Any

from runtime.flowsteps import timeline
from tests.runtime.watching import a_bundle, a_run

EVIL = "<img src=x onerror=alert(1)>"


def recorded(node: str, at: int, **more: Any) -> dict[str, Any]:
    return {"node": node, "kind": "map", "at_us": at, "duration_us": 100, "units": 1, "to": [], **more}


def test_steps_stand_where_they_happened() -> None:
    found = timeline([recorded("a", 5000), recorded("b", 5100), recorded("c", 5300)])
    assert found
    assert [(round(step.left), round(step.width)) for step in found.steps] == [(0, 25), (25, 25), (75, 25)]
    assert all(step.left + step.width <= 100 for step in found.steps)


def test_the_last_failure_is_where_a_retry_begins() -> None:
    found = timeline(
        [recorded("a", 0, error="x"), recorded("a", 200, attempt=1), recorded("b", 400, error="y")]
    )
    assert found
    assert found.failed == "b"
    assert [step.attempt for step in found.steps] == [1, 2, 1]


def test_an_error_may_be_a_text_or_a_code_with_a_message() -> None:
    found = timeline(
        [recorded("a", 0, error={"code": "timeout", "message": "too slow"}), recorded("b", 1, error="no")]
    )
    assert found
    assert [step.error for step in found.steps] == ["timeout: too slow", "no"]


def test_what_was_dropped_is_counted() -> None:
    found = timeline([recorded("a", 0), {"dropped": 7}])
    assert found
    assert (len(found.steps), found.dropped) == (1, 7)


def test_calls_of_plain_endpoints_have_no_timeline() -> None:
    assert timeline([{"target": "wasm:a:b", "duration_us": 1}]) is None
    assert timeline([]) is None


def test_the_page_of_a_run_shows_its_steps_as_text(alice: Any) -> None:
    steps = [
        recorded(
            EVIL, 10, **{"from": EVIL, "to": [EVIL], "input": json.dumps({"a": EVIL}), "output": f'"{EVIL}"'}
        ),
        recorded("enrich", 200, error=EVIL, attempt=2, target="builtin:http", duration_us=2500, units=4),
    ]
    run = a_run(a_bundle(alice.tenant), status="success", steps=steps)
    page = alice.client.get(f"/runs/{run.pk}").content.decode()
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 6
    for part in ("enrich", "attempt 3", "2.5 ms", "4 CU", "builtin:http", "data-failed"):
        assert part in page
    assert " style=" not in page
