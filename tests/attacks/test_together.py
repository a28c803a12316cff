"""What races on one bundle and one journal: one of many wins, and nothing that was told is lost (A071, A144 in kind)."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing.ids import uuid7
from bundles.models import Bundle, Revision
from runtime import executions, journal
from runtime.models import Execution
from tests.bundles.samples import shop as sample
from tests.runtime.watching import a_bundle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            gate.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result(30) for each in [pool.submit(run, act) for act in acts]]


def api(person: Any) -> Client:
    return Client(headers={"authorization": f"Bearer {person.token}"})


def create(person: Any) -> Any:
    files = {path: data.decode() for path, data in sample().items() if path.endswith(".yaml")}
    return api(person).post("/api/bundles", {"files": files}, content_type="application/json")


def test_of_edits_with_one_etag_exactly_one_wins(alice: Any) -> None:
    bundle = create(alice).json()["id"]
    path = f"/api/bundles/{bundle}/files/notes.txt"
    tag = alice.api.get(f"/api/bundles/{bundle}/files")["ETag"]

    def edit(number: int) -> Callable[[], int]:
        body = f"edit {number}"
        return lambda: (
            api(alice).put(path, body, content_type="text/plain", headers={"if-match": tag}).status_code
        )

    statuses = sorted(at_once(*[edit(number) for number in range(6)]))
    assert statuses == [200] + [412] * 5
    assert Revision.objects.filter(bundle=bundle).count() == 2


def test_parallel_imports_of_one_name_are_one_bundle_with_a_revision_each(alice: Any) -> None:
    answers = at_once(*[lambda: create(alice) for _ in range(6)])
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    bundle = Bundle.objects.get(tenant=alice.tenant)
    numbers = list(Revision.objects.filter(bundle=bundle).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, bundle.revision + 1))


def a_record(bundle: Bundle, status: str = "success") -> dict[str, Any]:
    now = int(1e15)
    return {
        "op": "add", "id": str(uuid7()), "tenant": str(bundle.tenant_id), "bundle": str(bundle.pk), "revision": 1,
        "service": "s", "name": "n", "target": "wasm:m:f", "trigger": "api", "status": status, "created": now,
        "started": now, "completed": now, "due": now, "duration_us": 1, "http_status": 200, "input": "{}", "output": "1",
        "error": "", "logs": [], "steps": [], "signals": [],
    }  # fmt: skip


def test_parallel_claims_take_each_run_once(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    executions.absorb([{**a_record(bundle, "queued"), "started": None, "completed": None} for _ in range(40)])
    taken = at_once(*[lambda n=n: [run.pk for run in executions.claim(f"w{n}", 40)] for n in range(4)])
    claimed = [pk for mine in taken for pk in mine]
    assert (len(claimed), len(set(claimed))) == (40, 40)


def test_a_batch_that_comes_twice_at_once_is_stored_once(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    batch = [a_record(bundle) for _ in range(50)]
    at_once(*[lambda: executions.absorb(batch) for _ in range(3)])
    assert Execution.objects.count() == 50


def test_a_nul_in_what_a_function_said_spoils_no_batch(alice: Any) -> None:
    """PostgreSQL takes no NUL, and a refused batch would be the loss of others' runs too."""
    bundle = a_bundle(alice.tenant)
    said = {
        "error": "a\0b",
        "logs": [[0, "info", "a\0b"]],
        "signals": [["a\0b", 1.0]],
        "steps": [{"error": "\0"}],
    }
    executions.absorb([a_record(bundle), {**a_record(bundle, "error"), **said}, a_record(bundle)])
    assert Execution.objects.count() == 3
    assert Execution.objects.get(status="error").logs == [[0, "info", "a\ufffdb"]]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the group commit is PostgreSQL's")
async def test_what_the_group_commit_acknowledged_is_stored(alice: Any) -> None:
    bundle = await Bundle.objects.acreate(tenant=alice.tenant, name="b", revision=1)
    together = journal.PgJournal()
    told: list[str] = []

    async def caller() -> None:
        for _ in range(20):
            record = a_record(bundle)
            await together.append(record)
            told.append(record["id"])

    await asyncio.gather(*(caller() for _ in range(16)))
    stored = {str(pk) async for pk in Execution.objects.values_list("pk", flat=True)}
    assert set(told) == stored
    assert len(told) == 320
