"""Interceptors of endpoints through the data plane: each built-in one, their order, and who pays for what."""

import asyncio
import gzip
import re
import time
from types import SimpleNamespace

import pytest
from channels.db import database_sync_to_async

from billing import secrets
from runtime.interceptors import cells
from runtime.interceptors.ratelimit import RateLimit
from runtime.models import Execution
from tests.runtime import guarded, stage
from tests.runtime.guarded import endpoint

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = "/alice/api/shop"


@pytest.fixture
async def call(alice, clean_redis):
    cells.clear()
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


async def shop(person, *endpoints, api="[]"):
    return await database_sync_to_async(guarded.run)(person, *endpoints, api=api)


def metrics(bundle, name, interceptor):
    return cells.metrics(cells.cell(cells.Place(str(bundle.pk), "shop", name, interceptor)))


async def runs():
    await stage.drain()
    return await Execution.objects.acount()


async def test_rate_limit_lets_so_many_through_and_tells_when_to_come_again(call, alice):
    bundle = await shop(alice, endpoint("a", "[rateLimit: {maxRequests: 3, windowMs: 60000}]"))
    answers = [await call("POST", f"{SHOP}/a", {}) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert "x-execution-id" not in answers[-1].headers
    assert await runs() == 3
    assert metrics(bundle, "a", "rateLimit")["totalExecutions"] == 5


async def test_the_other_spelling_and_a_window_that_ends(call, alice):
    await shop(alice, endpoint("a", "[rateLimit: {windowMs: 300, max: 1}]"))
    assert [(await call("POST", f"{SHOP}/a", {})).status for _ in range(2)] == [200, 429]
    await asyncio.sleep(0.35)
    assert (await call("POST", f"{SHOP}/a", {})).status == 200


async def test_each_caller_has_its_own_limit_and_an_api_counts_all_its_endpoints(call, alice):
    from billing import keys

    await shop(alice, endpoint("a", "[]"), endpoint("b", "[]"), api="[rateLimit: {max: 2}]")
    assert [(await call("POST", f"{SHOP}/{name}", {})).status for name in "aba"] == [200, 200, 429]
    _, other = await database_sync_to_async(keys.create)(alice.tenant, "other")
    assert (await call("POST", f"{SHOP}/b", {}, token=other)).status == 200


async def test_keys_in_redis_hold_nothing_that_anybody_wrote(call, alice):
    from billing.redis import redis

    bundle = await shop(
        alice, endpoint("'a:*{x}'", "[rateLimit, rateLimit: {by: all}]").replace("/'a:*{x}'", "/a")
    )
    assert (await call("POST", f"{SHOP}/a", {})).status == 200
    found = sorted(await database_sync_to_async(redis().keys)("prompd:ratelimit:*"))
    start = f"prompd:ratelimit:{alice.tenant.pk}:{bundle.pk}:"
    assert len(found) == 1 + 1
    assert all(re.fullmatch(re.escape(start) + "[0-9a-f]{16}(:[0-9a-f]{32})?", key.decode()) for key in found)
    assert all(0 < redis().pttl(key) <= 60_000 for key in found)


async def test_rate_limit_refuses_while_redis_is_away(call, alice, monkeypatch):
    from redis.exceptions import ConnectionError

    from runtime.interceptors import ratelimit

    await shop(alice, endpoint("a", "[rateLimit]"))

    async def gone(**_: object) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr(ratelimit, "counter", lambda: gone)
    answer = await call("POST", f"{SHOP}/a", {})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert await runs() == 0


async def test_compression_packs_from_its_threshold_and_in_place_of_the_usual(call, alice):
    await shop(alice, endpoint("a", "[compression: {threshold: 100000}]"), endpoint("b", "[compression]"))
    body = {"text": "x" * 5000}
    answer = await call("POST", f"{SHOP}/a", body, accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.json() == body
    answer = await call("POST", f"{SHOP}/b", body, accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) == int(answer.headers["content-length"]) < 200
    assert gzip.decompress(answer.body).startswith(b'{"text":"xxx')
    assert (await call("POST", f"{SHOP}/b", body)).json() == body
    assert "content-encoding" not in (await call("POST", f"{SHOP}/b", {}, accept_encoding="gzip")).headers


async def test_filter_refuses_what_is_not_true_and_what_cannot_be_decided(call, alice):
    own = "[filter: {when: request.body.ok, status: 409, message: Not yet}]"
    await shop(alice, endpoint("a", own))
    assert (await call("POST", f"{SHOP}/a", {"ok": True})).status == 200
    for body in ({"ok": False}, {}, {"ok": "true"}, [1], None):
        answer = await call("POST", f"{SHOP}/a", body)
        assert (answer.status, answer.json()["detail"]) == (409, "Not yet")
    assert (await call("POST", f"{SHOP}/a", b"{", content_type="application/json")).status == 400
    assert await runs() == 1


async def test_expressions_that_take_too_long_are_stopped_and_share_what_they_may_take(call, alice):
    long = "request.body.all(a, request.body.all(b, a + b > 0))"
    await shop(
        alice,
        endpoint("a", f"[filter: '{long}']"),
        endpoint("b", f"[{', '.join([f'filter: {chr(39)}{long}{chr(39)}'] * 9)}]"),
    )
    assert (await call("POST", f"{SHOP}/a", [1] * 20)).status == 200
    began = time.perf_counter()
    assert (await call("POST", f"{SHOP}/a", [1] * 5_000)).status == 422
    assert time.perf_counter() - began < 1
    assert (await call("POST", f"{SHOP}/a", [1] * 40)).status == 200
    assert (await call("POST", f"{SHOP}/b", [1] * 40)).status == 422


async def test_an_own_one_counts_as_an_execution_of_the_plan(call, alice, monkeypatch):
    from runtime import counting

    taken = []
    monkeypatch.setattr(counting, "demand", lambda tenant: taken.append(tenant) or asyncio.sleep(0))
    await shop(alice, endpoint("a", "[wasm:echo:run]"))
    await call("POST", f"{SHOP}/a", {"status": 200, "body": "all the work is done here"})
    assert len(taken) == 1


async def test_transform_changes_what_is_asked_and_what_is_answered(call, alice):
    request = "[transform: {request: '{\"n\": request.body.n * 2}', response: '{\"was\": response.body.n}'}]"
    bundle = await shop(alice, endpoint("a", request.replace("'{\"", "'{\"")))
    answer = await call("POST", f"{SHOP}/a", {"n": 4, "secret": "x"})
    assert (answer.status, answer.json()) == (200, {"was": 8})
    assert (await call("POST", f"{SHOP}/a", {})).status == 422
    assert metrics(bundle, "a", "transform")["totalExecutions"] == 3


async def test_an_answer_that_cannot_be_transformed_is_not_shown_as_it_was(call, alice):
    await shop(alice, endpoint("a", "[transform: {response: response.body.public}]"))
    answer = await call("POST", f"{SHOP}/a", {"private": "canary-77"})
    assert answer.status == 502
    assert b"canary-77" not in answer.body


async def test_a_failing_optional_one_is_skipped_and_counted(call, alice):
    bundle = await shop(alice, endpoint("a", "[transform: {response: response.body.x, optional: true}]"))
    assert (await call("POST", f"{SHOP}/a", {"y": 1})).json() == {"y": 1}
    assert metrics(bundle, "a", "transform")["skipped"] == 1


async def test_the_cache_answers_again_without_a_run(call, alice):
    bundle = await shop(alice, endpoint("a", "[cache: {ttl: 1m}]"))
    first, second = [await call("POST", f"{SHOP}/a", {"n": 1}) for _ in range(2)]
    assert second.body == first.body
    assert (second.headers["x-cache"], "x-cache" in first.headers) == ("hit", False)
    assert "x-execution-id" not in second.headers
    assert (await call("POST", f"{SHOP}/a", {"n": 2})).json() == {"n": 2}
    assert await runs() == 2
    assert metrics(bundle, "a", "cache")["hits"] == 1


async def test_the_cache_forgets_in_time_and_when_it_is_full(call, alice):
    await shop(alice, endpoint("a", "[cache: {ttl: 50ms}]"), endpoint("b", "[memoize: {maxCacheSize: 1}]"))
    await call("POST", f"{SHOP}/a", {})
    await asyncio.sleep(0.06)
    assert "x-cache" not in (await call("POST", f"{SHOP}/a", {})).headers
    for n, hit in ((1, False), (1, True), (2, False), (1, False)):
        assert ("x-cache" in (await call("POST", f"{SHOP}/b", {"n": n})).headers) is hit


async def test_what_writes_is_never_answered_from_the_cache(call, alice):
    await shop(alice, endpoint("count", "[cache]", "wasm:counter:run"))
    assert [(await call("POST", f"{SHOP}/count", {})).json() for _ in range(3)] == [1, 2, 3]


async def test_a_timeout_answers_in_time_and_the_run_is_recorded(call, alice):
    bundle = await shop(alice, endpoint("a", "[timeout: 400, monitoring]", "wasm:spin:run"))
    answer = await call("POST", f"{SHOP}/a", {"n": 1_500_000_000})
    assert (answer.status, "x-execution-id" in answer.headers) == (504, False)
    for _ in range(400):
        await asyncio.sleep(0.05)
        await stage.drain()
        run = await Execution.objects.afirst()
        if run is not None and run.status not in ("running", "queued"):
            break
    assert run.status in ("cancelled", "timeout", "error")
    place = cells.Place(str(bundle.pk), "shop", "a", "monitoring")
    found = cells.dashboard({place: cells.cell(place)}, 0)
    assert (found["timeoutRate"], found["errorRate"]) == (1.0, 1.0)


async def test_what_has_not_begun_in_time_never_begins(call, alice, monkeypatch):
    from runtime.interceptors import ratelimit

    async def slow(**_: object) -> list[int]:
        await asyncio.sleep(0.2)
        return [1, 60_000]

    await shop(alice, endpoint("a", "[timeout: 50, rateLimit]"))
    monkeypatch.setattr(ratelimit, "counter", lambda: slow)
    assert (await call("POST", f"{SHOP}/a", {})).status == 504
    await asyncio.sleep(0.3)
    assert await runs() == 0


async def test_a_call_in_time_leaves_no_timer_behind(call, alice):
    await shop(alice, endpoint("a", "[timeout: 30000]", "wasm:counter:run"))
    loop = asyncio.get_running_loop()
    for _ in range(5):
        assert (await call("POST", f"{SHOP}/a", {})).status == 200
    late = [t for t in loop._scheduled if not t.cancelled() and t.when() > loop.time() + 25]
    assert not [t for t in late if "_on_timeout" in repr(t) or "_release_waiter" in repr(t)]


async def test_monitoring_counts_refusals_failures_and_callers(call, alice):
    bundle = await shop(alice, endpoint("a", "[monitoring, filter: request.body.ok]"))
    for ok in (True, False, True):
        await call("POST", f"{SHOP}/a", {"ok": ok})
    place = cells.Place(str(bundle.pk), "shop", "a", "monitoring")
    told = cells.dashboard({place: cells.cell(place)}, 0.3)
    assert (told["totalExecutions"], told["requestsPerSecond"]) == (3, 0.3)
    assert 0 < told["averageResponseTime"] < 1000
    assert told["p99ResponseTime"] >= told["p95ResponseTime"] > 0
    assert len(cells.users(str(bundle.pk))) == 1


async def test_logging_tells_those_who_watch(call, alice):
    bundle = await shop(alice, endpoint("a", "[logging: warning, filter: request.body.ok]"))
    await call("POST", f"{SHOP}/a", {"ok": True})
    publisher = call.gateway.waist.publisher
    publisher.learn([f"bundle.{bundle.pk}"], 9e9)
    await call("POST", f"{SHOP}/a", {"ok": True})
    await call("POST", f"{SHOP}/a", {"ok": False})
    texts = [line[5] for line in publisher.watched[str(bundle.pk)].lines]
    assert publisher.watched[str(bundle.pk)].take("me")["lines"]  # a refused call has no run to be named
    assert [text for text in texts if text.startswith("POST")] == [
        f"POST /api/shop/a 422, {len((await call('POST', f'{SHOP}/a', {})).body)} bytes, key:{alice.token[:9]}"
    ]


async def test_refusals_of_links_go_through_cors_and_the_sandbox_headers(call, alice):
    await shop(alice, endpoint("a", "[filter: 'false']"))
    answer = await call("POST", f"{SHOP}/a", {})
    assert answer.status == 422
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["cache-control"] == "no-store"


async def test_asking_for_a_later_answer_does_not_get_past_the_guards(call, alice):
    await shop(alice, endpoint("a", "[filter: request.body.ok]"))
    assert (await call("POST", f"{SHOP}/a", {"ok": False}, prefer="respond-async")).status == 422
    answer = await call("POST", f"{SHOP}/a", {"ok": True}, prefer="respond-async")
    assert (answer.status, answer.json()["status"]) == (202, "queued")
    assert answer.headers["x-execution-id"]


@pytest.mark.parametrize("by", ["caller", "address"])
def test_a_stranger_gets_no_new_window_with_each_address_of_ipv6(by):
    link = RateLimit([0.0] * 8, "place", 1, 1000, by)

    def key(peer):
        asked = SimpleNamespace(peer=peer)
        return link.key(SimpleNamespace(asked=asked, identity=f"public:{peer}", is_stranger=True))

    assert key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9") != key("2001:db8:1:3::1")
    assert key("192.0.2.1") != key("192.0.2.2")


async def test_what_a_filter_has_seen_is_what_the_function_gets(call, alice):
    """A name that comes twice: who reads the first one would be told something that nobody looked at."""
    await shop(alice, endpoint("a", "[filter: request.body.n < 10]"), endpoint("b", "[monitoring]"))
    twice = b'{"n": 1000, "n": 1}'
    answer = await call("POST", f"{SHOP}/a", twice, content_type="application/json")
    assert (answer.status, answer.body) == (200, b'{"n":1}')
    assert (await call("POST", f"{SHOP}/b", twice, content_type="application/json")).body == twice


async def test_an_endpoint_without_interceptors_has_no_chain(call, alice):
    await shop(alice, endpoint("a", "[]"), endpoint("b", "[monitoring]"))
    await call("POST", f"{SHOP}/a", {})
    live = call.gateway.tenants.get("alice")
    bundle = next(iter(live.bundles.values()))
    assert list(bundle.chains) == [("shop", "b")]


async def test_an_own_one_answers_goes_on_or_changes_the_request(call, alice):
    """The echo gives back what it gets: its own request decides what it says as an interceptor."""
    bundle = await shop(alice, endpoint("a", "[wasm:echo:run]"))
    answer = await call("POST", f"{SHOP}/a", {"status": 418, "body": {"no": 1}})
    assert (answer.status, answer.json()) == (418, {"no": 1})
    assert answer.headers["x-execution-id"]
    answer = await call("POST", f"{SHOP}/a", {"request": {"body": {"other": 2}}})
    assert (answer.status, answer.json()) == (200, {"other": 2})
    assert (await call("POST", f"{SHOP}/a", {"plain": 3})).json() == {"plain": 3}
    assert await runs() == 5
    names = [run.name async for run in Execution.objects.order_by("created")]
    assert names.count("a:run") == 3
    assert metrics(bundle, "a", "wasm:echo:run")["totalExecutions"] == 3


@pytest.mark.parametrize("own", ["wasm:echo:run: {on: response}", "transform: {response: response.body}"])
async def test_an_answer_that_is_called_json_and_is_none_is_a_text(call, alice, own):
    """Base64 of “no JSON”, which is called application/json."""
    await shop(alice, endpoint("a", f"[{own}]"))
    said = {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"base64": "bm8gSlNPTg=="},
    }
    answer = await call("POST", f"{SHOP}/a", said)
    assert answer.status == 200
    assert answer.body in (b"no JSON", b'"no JSON"')


async def test_nobody_gets_past_an_own_one_that_falls(call, alice):
    await shop(
        alice,
        endpoint("a", "[wasm:trapper:writes_then_traps]"),
        endpoint("b", "[wasm:trapper:writes_then_traps: {optional: true}]"),
    )
    assert (await call("POST", f"{SHOP}/a", {"x": 1})).status >= 500
    assert (await call("POST", f"{SHOP}/b", {"x": 1})).json() == {"x": 1}


async def test_the_secret_of_a_token_is_not_given_to_modules(call, alice):
    await database_sync_to_async(secrets.put)(alice.tenant, "JWT_KEY", guarded.KEY.encode(), [])
    await shop(alice, endpoint("a", "[auth: {algorithm: HS256, secret: JWT_KEY}]"))
    await call("POST", f"{SHOP}/a", {})
    bundle = next(iter(call.gateway.tenants.get("alice").bundles.values()))
    assert "JWT_KEY" in bundle.secrets
    assert "JWT_KEY" not in bundle.granted
