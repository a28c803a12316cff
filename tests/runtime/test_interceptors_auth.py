"""auth: the tenant's keys, signed tokens and fixed ones; what is tried with forged tokens, and that nothing ran then."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from channels.db import database_sync_to_async
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from billing import secrets
from runtime.interceptors import cells
from runtime.interceptors.tokens import Fixed, Signed, Unfit
from runtime.models import Execution
from tests.runtime import guarded, stage
from tests.runtime.guarded import endpoint, token

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = guarded.KEY.encode()
A = "/alice/api/shop/a"
HS = "[auth: {algorithm: HS256, secret: JWT_KEY, audience: shop, issuer: 'https://id.example.org'}]"
RS = "[auth: {algorithm: RS256, secret: JWT_KEY}]"
GOOD = {"aud": "shop", "iss": "https://id.example.org"}


@pytest.fixture(scope="module")
def pair():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private, private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
async def call(alice, clean_redis):
    cells.clear()
    caller = stage.Caller(None)
    yield caller
    await caller.close()


async def shop(person, own, secret=SECRET, **more):
    if secret:
        await database_sync_to_async(secrets.put)(person.tenant, "JWT_KEY", secret, [])
    return await database_sync_to_async(guarded.run)(person, endpoint("a", own, **more))


async def ran() -> int:
    await stage.drain()
    return await Execution.objects.acount()


def b64(value) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header, claims, key=b"") -> str:
    """Signed by hand, as no library would."""
    text = f"{b64(header)}.{b64(claims)}"
    return f"{text}.{b64(hmac.new(key, text.encode(), hashlib.sha256).digest()) if key else ''}"


async def test_a_good_token_gets_in_and_is_named_in_the_history(call, alice):
    await shop(alice, HS)
    answer = await call("POST", A, {"n": 1}, token=token(**GOOD))
    assert (answer.status, answer.json()) == (200, {"n": 1})
    await stage.drain()
    run = await Execution.objects.aget()
    assert run.caller == "jwt:ann"
    assert json.loads(run.input)["claims"]["sub"] == "ann"
    assert "authorization" not in run.input.lower()


async def test_the_tenants_key_gets_in_too_and_strangers_keys_do_not(call, alice, charlie):
    await shop(alice, HS)
    assert (await call("POST", A, {}, token=alice.token)).status == 200
    assert (await call("POST", A, {}, token=charlie.token)).status == 404
    assert (await call("POST", A, {}, token="ps_wrong")).status == 401


CLAIMS = {"sub": "ann", **GOOD}


def later() -> int:
    return int(time.time()) + 60


@pytest.mark.parametrize(
    "made",
    [
        lambda: token(key="another shared key of forty characters", **GOOD),
        lambda: token(**GOOD, exp=int(time.time()) - 30),
        lambda: token(**GOOD, exp=None),
        lambda: (
            token(**GOOD, exp="soon")
            if False
            else forged({"alg": "HS256"}, {**CLAIMS, "exp": "x"}, guarded.KEY.encode())
        ),
        lambda: token(**GOOD, nbf=int(time.time()) + 60),
        lambda: token(**{**GOOD, "aud": "bank"}),
        lambda: token(iss=GOOD["iss"]),
        lambda: token(**{**GOOD, "iss": "https://evil.example.org"}),
        lambda: token(aud="shop"),
        lambda: forged({"alg": "none", "typ": "JWT"}, {**CLAIMS, "exp": later()}),
        lambda: forged({"alg": "NonE"}, {**CLAIMS, "exp": later()}),
        lambda: forged({"alg": ""}, {**CLAIMS, "exp": later()}, b"x"),
        lambda: forged({"alg": "HS256"}, {**CLAIMS, "exp": later()}, b"x"),
        lambda: token(algorithm="HS512", **GOOD),
        lambda: forged(
            {"alg": "HS256", "jwk": {"kty": "oct", "k": b64(b"mine")}}, {**CLAIMS, "exp": later()}, b"mine"
        ),
        lambda: forged({"alg": "HS256", "crit": ["x"]}, {**CLAIMS, "exp": later()}, guarded.KEY.encode()),
        lambda: forged({"alg": "HS256"}, {**CLAIMS, "exp": float("inf")}, guarded.KEY.encode()),
        lambda: forged({"alg": "HS256"}, [1], guarded.KEY.encode()),
        lambda: forged({"alg": "HS256"}, {**CLAIMS, "exp": 10**400}, guarded.KEY.encode()),
        lambda: forged({"alg": "HS256"}, {**CLAIMS, "exp": later(), "sub": "\ud800"}, guarded.KEY.encode()),
        lambda: token(**GOOD).rsplit(".", 1)[0] + ".",
        lambda: token(**GOOD) + "x" * 9_000,
        lambda: "a.b.c",
        lambda: "",
    ],
)
async def test_forged_and_foreign_tokens_are_refused_and_nothing_runs(call, alice, made):
    await shop(alice, HS)
    answer = await call("POST", A, {}, token=made())
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert await ran() == 0


def test_who_a_token_is_of_cannot_be_mistaken():
    verify = Signed("HS256", SECRET, audience=None, issuer=None)
    one, other = verify(token(iss="a:b", sub="c")), verify(token(iss="a", sub="b:c"))
    assert one
    assert other
    assert one.identity != other.identity
    spoof = verify(token(sub="x\n\x1b[2J2026 INFO all is well"))
    assert spoof
    assert spoof.caller.isprintable()


async def test_nobody_at_all_is_refused_also_where_the_endpoint_is_public(call, alice):
    await shop(alice, HS, auth="public")
    assert (await call("POST", A, {}, token=None)).status == 401
    assert await ran() == 0


async def test_a_public_key_does_not_sign(call, alice, pair):
    """The classic confusion: RS256's public key, which everybody knows, taken as a shared one."""
    private, public = pair
    await shop(alice, RS, public)
    claims = {"sub": "ann", "exp": later()}
    assert (await call("POST", A, {}, token=jwt.encode(claims, private, "RS256"))).status == 200
    for key in (public, public.strip()):
        assert (await call("POST", A, {}, token=forged({"alg": "HS256"}, claims, key))).status == 401
    assert (await call("POST", A, {}, token=forged({"alg": "none"}, claims))).status == 401
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert (await call("POST", A, {}, token=jwt.encode(claims, other, "RS256"))).status == 401
    assert await ran() == 1


@pytest.mark.parametrize("secret", [None, b"short", b"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQ\n"])
async def test_without_a_fit_secret_nobody_gets_in(call, alice, secret):
    await shop(alice, HS, secret)
    answer = await call("POST", A, {}, token=token(**GOOD))
    assert answer.status == 503
    assert b"JWT_KEY" not in answer.body
    assert await ran() == 0


async def test_a_changed_secret_counts_at_once(call, alice):
    await shop(alice, HS)
    mine = token(**GOOD)
    assert (await call("POST", A, {}, token=mine)).status == 200
    await database_sync_to_async(secrets.put)(
        alice.tenant, "JWT_KEY", b"another shared key of forty characters", []
    )
    assert (await call("POST", A, {}, token=mine)).status == 401


async def test_a_token_that_was_good_ends_in_time():
    verify = Signed("HS256", guarded.KEY.encode(), audience=None, issuer=None)
    mine = token(exp=int(time.time()) - 3)  # within what clocks may differ
    assert verify(mine)
    assert verify.known[mine][0] < time.time()


async def test_a_fixed_token(call, alice):
    await shop(alice, "[auth: {token: JWT_KEY}]")
    assert (await call("POST", A, {}, token=guarded.KEY)).status == 200
    for wrong in (guarded.KEY[:-1], guarded.KEY + " x", "é", None):
        assert (await call("POST", A, {}, token=wrong)).status == 401
    assert await ran() == 1


async def test_tokens_that_need_not_be_there_must_be_good_when_they_are(call, alice):
    await shop(alice, "[auth: {required: false, token: JWT_KEY}]", auth="public")
    assert (await call("POST", A, {}, token=None)).status == 200
    assert (await call("POST", A, {}, token="wrong")).status == 401


async def test_required_alone_wants_the_tenants_key_on_public_endpoints(call, alice):
    await shop(alice, "[auth: {required: true}]", auth="public")
    assert (await call("POST", A, {}, token=None)).status == 401
    assert (await call("POST", A, {}, token=token())).status == 401
    assert (await call("POST", A, {}, token=alice.token)).status == 200


async def test_expressions_see_the_claims(call, alice):
    own = HS[:-1] + ", filter: {when: caller.claims.role == 'admin', status: 403}]"
    await shop(alice, own)
    assert (await call("POST", A, {}, token=token(**GOOD, role="admin"))).status == 200
    assert (await call("POST", A, {}, token=token(**GOOD, role="guest"))).status == 403
    assert (await call("POST", A, {}, token=token(**GOOD))).status == 403


async def test_who_is_refused_is_counted(call, alice):
    bundle = await shop(alice, "[monitoring, auth: {token: JWT_KEY}]")
    await call("POST", A, {}, token="wrong")
    place = cells.Place(str(bundle.pk), "shop", "a", "monitoring")
    assert cells.dashboard({place: cells.cell(place)}, 0)["authFailureRate"] == 1.0


def test_small_and_strange_keys_are_unfit(pair):
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    pem = small.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for algorithm, key in (("RS256", pem), ("RS256", b"x"), ("HS256", pair[1]), ("HS256", b"x" * 31)):
        with pytest.raises(Unfit):
            Signed(algorithm, key, audience=None, issuer=None)
    with pytest.raises(Unfit):
        Fixed("T", b"short")
