"""The cache keeps apart what is not the same: tenants, endpoints, callers, headers; and it never grows without end."""

import gc

import pytest
from channels.db import database_sync_to_async

from billing import keys, secrets
from runtime.answer import Reply
from runtime.interceptors import cache, cells
from tests.runtime import guarded, stage
from tests.runtime.guarded import endpoint, token

pytestmark = pytest.mark.django_db(transaction=True)
A, B = "/alice/api/shop/a", "/alice/api/shop/b"


@pytest.fixture
async def call(alice, clean_redis):
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


async def shop(person, *endpoints, api="[]"):
    return await database_sync_to_async(guarded.run)(person, *endpoints, api=api)


def hit(answer) -> bool:
    assert answer.status == 200
    return "x-cache" in answer.headers


KEYED = "[cache: {key: '\"same\"'}]"


async def test_tenants_never_share_an_answer(call, alice, charlie):
    for person in (alice, charlie):
        await shop(person, endpoint("a", "[cache: {key: '\"same\"', shared: true}]"))
    assert not hit(await call("POST", A, {"of": "alice"}))
    answer = await call("POST", "/charlie/api/shop/a", {"of": "charlie"}, token=charlie.token)
    assert (hit(answer), answer.json()) == (False, {"of": "charlie"})


async def test_callers_never_share_an_answer_whatever_the_key_says(call, alice):
    await shop(alice, endpoint("a", KEYED), endpoint("b", KEYED))
    _, other = await database_sync_to_async(keys.create)(alice.tenant, "other")
    assert not hit(await call("POST", A, {"of": "first"}))
    assert (await call("POST", A, {"of": "again"})).json() == {"of": "first"}
    assert (await call("POST", A, {"of": "other"}, token=other)).json() == {"of": "other"}
    assert (await call("POST", B, {"of": "b"})).json() == {"of": "b"}


async def test_callers_share_when_the_bundle_says_so(call, alice):
    await shop(alice, endpoint("a", "[cache: {key: '\"same\"', shared: true}]"))
    _, other = await database_sync_to_async(keys.create)(alice.tenant, "other")
    await call("POST", A, {"of": "first"})
    assert (await call("POST", A, {}, token=other)).json() == {"of": "first"}


async def test_subjects_of_tokens_are_callers_of_their_own(call, alice):
    await database_sync_to_async(secrets.put)(alice.tenant, "JWT_KEY", guarded.KEY.encode(), [])
    await shop(alice, endpoint("a", "[auth: {algorithm: HS256, secret: JWT_KEY}, cache: {key: '1'}]"))
    first = token(sub="ann")
    assert not hit(await call("POST", A, {"of": "ann"}, token=first))
    assert (await call("POST", A, {"of": "bo"}, token=token(sub="bo"))).json() == {"of": "bo"}
    assert (await call("POST", A, {}, token=token(sub="ann", jti="2"))).json() == {"of": "ann"}
    for nameless in (token(sub=None), token(sub=None, jti="3")):
        assert not hit(await call("POST", A, {}, token=nameless))


@pytest.mark.parametrize("own", ["cache", "cache: {key: '1'}"])
async def test_a_token_that_says_something_else_gets_an_answer_of_its_own(call, alice, own):
    """The function is told the claims: what an admin was answered is not for the same person as a guest."""
    await database_sync_to_async(secrets.put)(alice.tenant, "JWT_KEY", guarded.KEY.encode(), [])
    await shop(alice, endpoint("a", f"[auth: {{algorithm: HS256, secret: JWT_KEY}}, {own}]"))
    assert not hit(await call("POST", A, {}, token=token(role="admin")))
    assert not hit(await call("POST", A, {}, token=token(role="guest")))
    assert hit(await call("POST", A, {}, token=token(role="admin", jti="2")))


async def test_strangers_of_different_addresses_and_headers_do_not_share(call, alice):
    await shop(alice, endpoint("a", "[cache]", auth="public"))
    assert not hit(await call("POST", A, {}, token=None, x_session="1"))
    assert hit(await call("POST", A, {}, token=None, x_session="1"))
    assert not hit(await call("POST", A, {}, token=None, x_session="2"))
    assert hit(await call("POST", A, {}, token=None, x_session="1", user_agent="other"))


async def test_the_query_and_the_body_are_part_of_what_is_asked(call, alice):
    await shop(alice, endpoint("a", "[cache]"))
    for path, body in ((A, {"n": 1}), (A + "?x=1", {"n": 1}), (A + "?x=2", {"n": 1}), (A, {"n": 2})):
        assert not hit(await call("POST", path, body))
        assert hit(await call("POST", path, body))


async def test_who_is_not_let_in_gets_nothing_from_the_cache(call, alice):
    own = "[cache: {key: '1', shared: true}, filter: request.body.ok, rateLimit: {max: 3}]"
    await shop(alice, endpoint("a", own))
    assert not hit(await call("POST", A, {"ok": True}))
    assert hit(await call("POST", A, {"ok": True}))
    assert (await call("POST", A, {"ok": False})).status == 422
    assert (await call("POST", A, {"ok": True})).status == 429


async def test_a_packed_answer_is_not_given_to_who_cannot_unpack_it(call, alice):
    await shop(alice, endpoint("a", "[cache, compression]"))
    body = {"text": "x" * 3000}
    packed = await call("POST", A, body, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    plain = await call("POST", A, body)
    assert (hit(plain), plain.json()) == (True, body)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "headers": {"cache-control": "no-store"}, "body": 1},
        {"status": 200, "headers": {"cache-control": "private, max-age=5"}, "body": 1},
        {"status": 200, "headers": {"vary": "x-a"}, "body": 1},
        {"status": 404, "body": 1},
        {"status": 500, "body": 1},
        {"error": "no"},
    ],
)
async def test_what_must_not_be_kept_is_not(call, alice, answer):
    await shop(alice, endpoint("a", "[cache, transform: {request: request.body}]"))
    path = f"{A}?echo=1"
    for _ in range(2):
        found = await call("POST", path, answer)
        assert "x-cache" not in found.headers


async def test_a_deployed_change_forgets_what_was_kept(call, alice):
    bundle = await shop(alice, endpoint("a", "[cache]"))
    await call("POST", A, {})
    assert hit(await call("POST", A, {}))
    await shop(alice, endpoint("a", "[cache]"), endpoint("b", "[]"))
    assert not hit(await call("POST", A, {}))
    assert bundle


class Asked:
    """What a cache looks at, without a request around it."""

    form = ""

    def __init__(self, key):
        self.key, self.queued = key, None
        self.outcome = type("O", (), {"status": "success", "degraded": False, "effects": None})()
        self.outcome.effects = type("E", (), {"writes": {}, "fires": []})()


def made(**more) -> cache.Cache:
    return cache.Cache(
        cells.cell(cells.Place("b", "s", "e", "cache")), lambda call: call.key, "alice", **more
    )


def test_bytes_are_bounded_and_given_back():
    gc.collect()
    before = cache.Room.used["alice"]
    mine = made(most=100_000)
    for number in range(100):
        one = Asked(number)
        mine.before(one)
        mine.after(one, Reply(200, b"x" * 200_000))
    assert len(mine.entries) == cache.ROOM // 201_000
    assert cache.Room.used["alice"] - before == mine.held[0] <= cache.ROOM
    mine.keep(99, Reply(200, b"small"))
    assert mine.held[0] == sum(size for _, _, size in mine.entries.values())
    del mine
    gc.collect()
    assert cache.Room.used["alice"] == before


def test_the_least_used_goes_first():
    mine = made(most=2)
    for key in ("a", "b", "a", "c"):
        one = Asked(key)
        if mine.before(one) is None:
            mine.after(one, Reply(200, b"{}"))
    assert list(mine.entries) == ["a", "c"]


def test_keys_of_different_kinds_are_different():
    key = cache.private(lambda value: value, shared=True)
    assert len({key(value) for value in (1, 1.0, True, "1", None, [1], {"a": 1})}) == 7
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})


def test_one_tenant_does_not_take_the_room_of_all():
    mine = [made(most=100_000) for _ in range(4)]
    for one in mine:
        for number in range(60):
            one.keep(number, Reply(200, b"x" * 200_000))
    assert cache.Room.used["alice"] <= cache.TENANT_ROOM
    other = cache.Cache([0.0] * 8, lambda call: call.key, "bob")
    other.keep(1, Reply(200, b"x"))
    assert list(other.entries) == [1]
