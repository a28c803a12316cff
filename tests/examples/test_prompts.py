"""The three prompts of the shop: their own tests pass, and each answers by its doors without a key."""

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async

from bundles import prompttest
from runtime.models import Execution
from tests.examples.front import definition, files
from tests.runtime import stage

NEEDED = {
    "product-description": {"product": "Coffee mug", "features": ["holds 300 ml"]},
    "return-answer": {"customer": "Ann", "letter": "It squeaks."},
    "order-reply": {
        "orderId": "o-7",
        "customer": {"name": "Ann"},
        "items": [{"name": "Coffee mug", "quantity": 2, "priceCents": 1250}],
    },
}


def test_there_are_three_and_their_tests_pass() -> None:
    assert set(definition().prompts) == set(NEEDED)
    results = prompttest.run_tests(files())
    assert len({one.file for one in results}) == 3
    assert [(one.name, one.reasons) for one in results if not one.passed or one.skipped] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NEEDED)
async def test_each_is_rehearsed_while_there_is_no_key(call: Any, alice: Any, name: str) -> None:
    await database_sync_to_async(stage.run_bundle)(alice, files())
    answer = await call("POST", f"/alice/prompts/{name}", NEEDED[name])
    assert (answer.status, answer.json()["model"]) == (200, "rehearsal"), answer.body
    assert "rehearsal" in answer.json()["output"]
    assert answer.json()["usage"]["cost"] == 0
    streamed = await call("POST", f"/alice/prompts/{name}/stream", NEEDED[name])
    assert b"event: done" in streamed.body
    await stage.drain()
    run = await Execution.objects.aget(pk=answer.execution)
    assert (run.steps[0]["target"], run.steps[0]["usage"]["total"] > 20) == ("llm:rehearsal", True)


@pytest.mark.django_db(transaction=True)
async def test_an_endpoint_answers_with_json_for_an_order(call: Any, alice: Any) -> None:
    await database_sync_to_async(stage.run_bundle)(alice, files())
    body = {name: value for name, value in NEEDED["order-reply"].items() if name != "orderId"}
    answer = await call("POST", "/alice/api/v1/intake/o-7/reply", body)
    mail = json.loads(answer.json()["output"])
    assert mail["subject"] == "Your order o-7"
    assert "2 × Coffee mug." in mail["body"]
    refused = await call("POST", "/alice/api/v1/intake/no%20id/reply", {**body, "items": []})
    assert refused.status == 422
    assert {one["path"] for one in refused.json()["errors"]} == {"orderId", "items"}
