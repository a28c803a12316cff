"""The data plane: a bundle's endpoints answer to the tenant's key, and to nobody else."""

import pytest
from channels.db import database_sync_to_async

from runtime.models import Execution
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(alice, clean_redis):
    files = stage.bundle_files(
        "shop", ["echo", "counter"], POST_echo="wasm:echo:run", POST_count="wasm:counter:run"
    )
    return stage.run_bundle(alice, files)


@pytest.fixture
async def call(alice, shop):
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


async def test_a_call_is_answered_metered_and_in_the_history(call, alice):
    answer = await call("POST", "/alice/api/shop/echo", {"a": [1, 2]})
    assert (answer.status, answer.json()) == (200, {"a": [1, 2]})
    assert int(answer.headers["x-compute-units"]) >= 1
    await stage.drain()
    run = await Execution.objects.aget(pk=answer.execution)
    assert (run.status, run.http_status, run.service, run.name) == ("success", 200, "shop", "echo")
    assert run.output == '{"a":[1,2]}'


async def test_a_run_is_found_before_it_is_imported(call, alice):
    answer = await call("POST", "/alice/api/shop/echo", {"a": 1})
    shown = await database_sync_to_async(alice.api.get)(f"/api/executions/{answer.execution}")
    assert (shown.status_code, shown.json()["status"], shown.json()["output"]) == (200, "success", {"a": 1})


async def test_state_is_kept_between_calls_and_counts_exactly_in_parallel(call):
    import asyncio

    answers = await asyncio.gather(*(call("POST", "/alice/api/shop/count", {}) for _ in range(40)))
    assert [answer.status for answer in answers] == [200] * 40
    assert sorted(answer.json() for answer in answers) == list(range(1, 41))


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/alice/api/shop/echo", None, 401),
        ("/alice/api/shop/echo", "ps_wrong", 401),
        ("/nobody/api/shop/echo", None, 401),
        ("/alice/api/shop/absent", None, 401),
        ("/alice/api/shop/absent", "own", 404),
        ("/%61lice/api/shop/echo", "own", 404),
        ("/Alice/api/shop/echo", "own", 404),
        ("/alice//api/shop/echo", "own", 404),
        ("/alice/./api/shop/echo", "own", 404),
        ("/alice/api/shop/%2e%2e/shop/echo", "own", 404),
    ],
)
async def test_who_is_let_in(call, path, token, status):
    assert (await call("POST", path, {}, token=token)).status == status


async def test_charlies_key_sees_nothing_of_alice(call, charlie):
    assert (await call("POST", "/alice/api/shop/echo", {}, token=charlie.token)).status == 404


async def test_a_method_that_is_not_there_is_405_with_allow(call):
    answer = await call("GET", "/alice/api/shop/echo")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_strangers_code_answers_in_a_sandbox(call):
    answer = await call("POST", "/alice/api/shop/echo", {})
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


async def test_a_body_over_the_limit_is_refused_before_it_is_read(call):
    await stage.drain()
    answer = await call("POST", "/alice/api/shop/echo", b"x" * (1024 * 1024 + 1))
    assert answer.status == 413
    assert await stage.drain() == 0


async def test_a_trailing_slash_does_not_matter(call):
    assert (await call("POST", "/alice/api/shop/echo/", {})).status == 200


async def test_what_is_stopped_or_revoked_here_answers_nobody_any_more(call, alice, shop):
    from billing import keys
    from bundles import deploy

    assert (await call("POST", "/alice/api/shop/echo", {})).status == 200
    await database_sync_to_async(keys.revoke)(alice.tenant.pk, alice.key.pk)
    assert (await call("POST", "/alice/api/shop/echo", {})).status == 401
    _, token = await database_sync_to_async(keys.create)(alice.tenant, "new")
    assert (await call("POST", "/alice/api/shop/echo", {}, token=token)).status == 200
    await database_sync_to_async(deploy.ask_stop)("test", shop)
    assert (await call("POST", "/alice/api/shop/echo", {}, token=token)).status == 404
