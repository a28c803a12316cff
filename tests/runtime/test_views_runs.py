"""The list of runs and the page of one: what they show, what they do, and for whom."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.urls import reverse

from billing.ids import uuid7
from runtime import importer
from runtime.models import Execution
from tests.runtime import stage
from tests.runtime.watching import a_bundle, a_run

HTMX = {"HX-Request": "true"}
EVIL = "<img src=x onerror=alert(1)>"


def listed(person: Any, **wanted: str) -> str:
    answer = person.client.get(f"/runs?{urlencode(wanted)}", headers=HTMX)
    assert answer.status_code == 200
    return str(answer.content.decode())


def seen_in(page: str) -> str:
    found = re.search(r"seen=([0-9a-f]{16})", page)
    assert found
    return found[1]


def detail(person: Any, run: Any) -> str:
    answer = person.client.get(f"/runs/{run}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_empty_list_says_what_appears_here(alice: Any) -> None:
    assert "Nothing has run yet" in listed(alice)
    assert "Nothing matches" in listed(alice, status="error")


def test_each_filter_filters(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    old, new = a_run(bundle), a_run(bundle, status="error")
    assert all(str(run.pk) in listed(alice) for run in (old, new))
    for wanted in ({"status": "error"}, {"status": "error", "bundle": str(bundle.pk), "service": "cart"}):
        page = listed(alice, **wanted)
        assert str(new.pk) in page
        assert str(old.pk) not in page
    for wanted in ({"trigger": "sensor"}, {"name": "absent"}, {"bundle": str(uuid7())}, {"bundle": "no id"}):
        assert "Nothing matches" in listed(alice, **wanted)


def test_pages_follow_each_other_without_gap_or_twin(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    runs = sorted(str(a_run(bundle).pk) for _ in range(60))
    first = alice.client.get("/runs").context
    assert [str(run.pk) for run in first["runs"]] == runs[:9:-1]
    second = alice.client.get("/runs", {"before": first["older"]}).context
    assert [str(run.pk) for run in second["runs"]] == runs[9::-1]
    assert second["older"] == ""


def test_a_poll_without_news_changes_nothing_on_the_page(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    a_run(bundle)
    seen = seen_in(listed(alice))
    assert alice.client.get("/runs", {"seen": seen}, headers=HTMX).status_code == 204
    fresh = a_run(bundle)
    news = alice.client.get("/runs", {"seen": seen}, headers=HTMX)
    assert news.status_code == 200
    assert f'id="run-{fresh.pk}"' in news.content.decode()


def test_a_run_that_still_waits_is_news_only_when_it_changes(alice: Any) -> None:
    run = a_run(a_bundle(alice.tenant), status="queued")
    seen = seen_in(alice.client.get(f"/runs/{run.pk}", headers=HTMX).content.decode())
    assert alice.client.get(f"/runs/{run.pk}", {"seen": seen}, headers=HTMX).status_code == 204
    Execution.objects.filter(pk=run.pk).update(status="running")
    assert alice.client.get(f"/runs/{run.pk}", {"seen": seen}, headers=HTMX).status_code == 200


def test_a_run_shows_all_of_itself_as_text(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    run = a_run(
        bundle,
        EVIL,
        input=json.dumps({"body": EVIL}),
        output=f'"{EVIL}"',
        error=EVIL,
        steps=[{"target": "wasm:a:b", "duration_us": 1500, "error": EVIL}],
        units_used=7,
    )
    page = detail(alice, run.pk)
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 5
    for part in ("wasm:cart:add", "1.5 ms", "cart", "Retry", str(run.pk)):
        assert part in page
    assert "hx-trigger" not in page.partition('id="run"')[2].partition(">")[0]


def test_lineage_is_linked_both_ways(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    first = a_run(bundle)
    then = a_run(bundle, parent=first.pk)
    assert reverse("runtime:run_detail", args=[then.pk]) in detail(alice, first.pk)
    assert reverse("runtime:run_detail", args=[first.pk]) in detail(alice, then.pk)


def test_one_that_runs_is_followed_and_can_be_cancelled(alice: Any) -> None:
    run = a_run(a_bundle(alice.tenant), status="queued")
    page = detail(alice, run.pk)
    assert f"/ws/executions/{run.pk}" in page
    assert "every 1s" in page
    assert alice.client.post(f"/runs/{run.pk}/cancel").status_code == 302
    run.refresh_from_db()
    assert run.status == "cancelled"
    again = alice.client.post(f"/runs/{run.pk}/cancel", follow=True)
    assert b"It is over already" in again.content


@pytest.mark.django_db(transaction=True)
def test_retry_goes_to_the_new_run_which_shows_before_it_is_imported(alice: Any) -> None:
    run = a_run(a_bundle(alice.tenant), input='{"body": 1}')
    answer = alice.client.post(f"/runs/{run.pk}/retry")
    assert answer.status_code == 302
    fresh = answer["Location"].rsplit("/", 1)[1]
    # a file is imported later; PostgreSQL's journal is the table itself
    assert Execution.objects.filter(pk=fresh).exists() == (settings.JOURNAL == "postgres")
    assert str(run.pk) in detail(alice, fresh)
    importer.drain()
    assert str(Execution.objects.get(pk=fresh).parent) == str(run.pk)


def test_a_viewer_reads_but_neither_retries_nor_cancels(alice: Any, bob: Any) -> None:
    run = a_run(a_bundle(alice.tenant), input="{}")
    assert "Retry" not in detail(bob, run.pk)
    for verb in ("retry", "cancel"):
        assert bob.client.post(f"/runs/{run.pk}/{verb}").status_code == 403
    importer.drain()
    assert Execution.objects.count() == 1


def test_charlie_sees_nothing_of_it(alice: Any, charlie: Any) -> None:
    run = a_run(a_bundle(alice.tenant), input="{}")
    assert str(run.pk) not in listed(charlie)
    assert charlie.client.get(f"/runs/{run.pk}").status_code == 404
    for verb in ("retry", "cancel"):
        assert charlie.client.post(f"/runs/{run.pk}/{verb}").status_code == 404
    importer.drain()
    assert Execution.objects.count() == 1


def test_strangers_sign_in_first(db: None, client: Any) -> None:
    for path in ("/runs", f"/runs/{uuid7()}", "/dashboard"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


@pytest.mark.django_db(transaction=True)
async def test_a_call_that_was_just_answered_has_its_page(alice: Any, clean_redis: None) -> None:
    files = stage.bundle_files("shop", ["echo"], POST_echo="wasm:echo:run")
    await database_sync_to_async(stage.run_bundle)(alice, files)
    caller = stage.Caller(alice.token)
    try:
        answer = await caller("POST", "/alice/api/shop/echo", {"told": "you"})
    finally:
        await caller.close()
    page = await database_sync_to_async(detail)(alice, answer.execution)
    assert "&quot;told&quot;: &quot;you&quot;" in page
