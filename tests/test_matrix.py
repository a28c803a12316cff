"""Every registered route × everybody who might ask, against the table in tests/rules.py (A073, A080, A093, A103)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import transaction
from django.test import Client

from billing import keys
from billing.belongings import rows_of
from billing.models import Membership
from market.routing import websockets as market_websockets
from runtime import promptsocket
from runtime.gateway import Gateway
from runtime.routing import websockets
from tests import rules
from tests.priostack.routes import absent, address, belongings, operations, pages
from tests.runtime.prompting import hello
from tests.runtime.stage import run_bundle
from tests.runtime.watching import ORIGIN, publishing, socket, with_key, with_session

OURS = ("billing", "bundles", "market", "runtime")
ROLES = {
    "viewer": {"read"},
    "editor": {"read", "call", "write"},
    "admin": {"read", "call", "write", "admin"},
    "owner": {"read", "call", "write", "admin", "owner"},
}
KEYS = {"read key": ("read",), "call key": ("call",), "write key": ("write",), "empty key": ()}
SIGN_IN = "/accounts/login/"
db = pytest.mark.django_db
clean = pytest.mark.usefixtures("clean_redis")


def everything(person: Any) -> Any:
    """How many rows there are of each of our models, and Alice's own with their values."""
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    counts = {model.__name__: model._default_manager.count() for model in models}
    values = [
        list(rows.order_by("pk").values())
        for model, rows in rows_of(person.tenant.pk)
        if "Key" not in model.__name__
    ]
    return counts, values


def member(person: Any, role: str) -> Client:
    Membership.objects.filter(user=person.user).update(role=role)
    return person.client


def with_scopes(tenant: Any, scopes: tuple[str, ...]) -> Client:
    key, token = keys.create(tenant, "a key", scopes=scopes or ("read",))
    key.scopes = list(scopes)  # no door makes a key without scopes, but a row might have none
    key.save()
    return Client(headers={"authorization": f"Bearer {token}"})


def send(client: Client, method: str, path: str) -> int:
    body = {} if method in {"GET", "DELETE"} else {"data": "{}", "content_type": "application/json"}
    return getattr(client, method.lower())(path, **body).status_code


class Undone(Exception):
    pass


def tried(client: Client, method: str, path: str) -> int:
    """The status; what an allowed request did is undone, so that the next one finds everything again."""
    status = 0
    try:
        with transaction.atomic():
            status = send(client, method, path)
            raise Undone
    except Undone:
        return status


def test_every_operation_has_its_rule_and_every_rule_its_operation() -> None:
    found = {str(operation) for operation in operations()}
    assert not found - set(rules.OPERATIONS), "say in tests/rules.py who may use these operations"
    assert not set(rules.OPERATIONS) - found, "these operations are gone: take them out of tests/rules.py"


def test_every_page_has_its_rule_and_every_rule_its_page() -> None:
    found = set(pages())
    assert not found - set(rules.PAGES), "say in tests/rules.py who may see these pages"
    assert not set(rules.PAGES) - found, "these pages are gone: take them out of tests/rules.py"


def test_every_websocket_has_its_rule() -> None:
    assert {str(route.pattern) for route in [*market_websockets, *websockets]} == set(rules.SOCKETS)


@db
@clean
@pytest.mark.parametrize("operation", operations(), ids=str)
def test_each_operation_is_for_those_it_is_for(alice: Any, bob: Any, charlie: Any, operation: Any) -> None:
    elsewhere = str(operation) in rules.ELSEWHERE
    scope = rules.OPERATIONS.get(str(operation)) or pytest.fail("no rule in tests/rules.py")
    objects = belongings(alice)
    path, nothing = address(operation.path, objects), address(operation.path, absent())
    callers = {name: (with_scopes(alice.tenant, scopes), set(scopes)) for name, scopes in KEYS.items()}
    callers["anonymous"] = Client(), None
    before = everything(alice)
    for name, (client, scopes) in callers.items():
        if not (elsewhere and scope in (scopes or ())):
            judged(tried(client, operation.method, path), scopes, scope, name)
    for role, scopes in ROLES.items():
        if not left_out(str(operation), scope, role):
            judged(tried(member(bob, role), operation.method, path), scopes, scope, role)
    member(bob, "viewer")
    if operation.has_object:
        for client in (charlie.client, charlie.api) if scope not in {"admin", "owner"} else (charlie.client,):
            foreign = tried(client, operation.method, path)
            assert foreign == tried(client, operation.method, nothing)
            assert foreign in {404, 422, 428}
    assert everything(alice) == before


def judged(status: int, scopes: set[str] | None, needed: str, name: str) -> None:
    if scopes is None:
        assert status == 401, name
    elif needed not in scopes:
        assert status == 403, name
    else:
        assert status not in {401, 403, 404}, name
        assert status < 500 or status == 503, name


@db
@clean
@pytest.mark.parametrize("path", pages())
def test_each_page_is_for_those_it_is_for(alice: Any, bob: Any, charlie: Any, path: str) -> None:
    rule = rules.PAGES.get(path) or pytest.fail("no rule in tests/rules.py")
    objects = belongings(alice)
    where = address(path, objects)
    before = everything(alice)
    for method, needed in zip(("GET", "POST"), rule, strict=True):
        strangers_page(tried(Client(), method, where), needed)
        for role, scopes in ROLES.items():
            if left_out(path, needed, role):
                continue
            status = tried(member(bob, role), method, where)
            members_page(status, needed, scopes, f"{method} as {role}")
        if "<" in path and needed in {"read", "call", "write", "admin", "owner"}:
            assert tried(charlie.client, method, where) == 404, f"{method} as Charlie"
    member(bob, "viewer")
    assert everything(alice) == before


def left_out(route: str, needed: str, role: str) -> bool:
    if route in rules.OWNERS_ONLY and role == "admin":
        return True
    return route in rules.ELSEWHERE and needed in ROLES[role]


def strangers_page(status: int, needed: str) -> None:
    if needed in {"public", "token"}:
        assert status in {200, 404}
    elif needed == "signed":
        assert status == 401
    else:
        assert status in ({405} if needed == "-" else {302})


def members_page(status: int, needed: str, scopes: set[str], who: str) -> None:
    if needed == "-":
        assert status == 405, who
    elif needed == "signed":
        assert status == 401, who
    elif needed in {"public", "self", "token"} or needed in scopes:
        assert status not in {401, 405}, who
        assert status < 500, who
    else:
        assert status == 403, who


@db
@clean
@pytest.mark.parametrize(
    "path", [path for path, rule in rules.PAGES.items() if rule[0] not in {"public", "-", "token"}]
)
def test_strangers_are_sent_to_sign_in(alice: Any, path: str) -> None:
    answer = Client().get(address(path, belongings(alice)))
    assert answer["Location"].startswith(SIGN_IN)


@db
@clean
def test_a_session_without_its_csrf_token_changes_nothing_anywhere(alice: Any) -> None:
    objects = belongings(alice)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user, "allauth.account.auth_backends.AuthenticationBackend")
    before = everything(alice)
    unsafe = [(o.method, o.path) for o in operations() if o.method != "GET"]
    unsafe += [
        ("POST", path) for path, rule in rules.PAGES.items() if rule[1] not in {"-", "signed", "token"}
    ]
    for method, path in unsafe:
        answer = getattr(browser, method.lower())(
            address(path, objects), headers={"origin": "https://evil.example"}
        )
        assert answer.status_code == 403, f"{method} {path}"
    assert everything(alice) == before


@pytest.mark.django_db(transaction=True)
@clean
@pytest.mark.parametrize("path", list(rules.SOCKETS))
async def test_each_websocket_is_for_those_it_is_for(alice: Any, bob: Any, charlie: Any, path: str) -> None:
    objects = await sync_to_async(belongings)(alice)
    where = "/" + path.replace("<uuid:id>", objects["bundle_id" if "bundles" in path else "runs.id"])
    where, needed = where.replace("<str:id>", "hello"), rules.SOCKETS[path]
    if "prompts" in path:
        await sync_to_async(run_bundle)(
            alice, {"bundle.yaml": b"name: talk\n", "prompts/hello.prmd": hello()}
        )
    async with publishing(), serving():
        for name, scopes in KEYS.items():
            client = await sync_to_async(with_scopes)(alice.tenant, scopes)
            token = client.defaults["HTTP_AUTHORIZATION"].partition(" ")[2]
            assert await code(where, with_key(token)) == (0 if needed in scopes else 4403), name
        assert await code(where) == 4401
        for role, may in ROLES.items():
            client = await sync_to_async(member)(bob, role)
            assert await code(where, with_session(client)) == (0 if needed in may else 4403), role
        others = 4404 if "<" in path else 0  # without an object everybody sees what is theirs
        assert await code(where, with_session(charlie.client)) == others
        assert await code(where, with_key(charlie.token)) == others


@asynccontextmanager
async def serving() -> AsyncIterator[None]:
    """A gateway in this loop: that of the process may belong to one that was closed since."""
    gateway = Gateway()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promptsocket, "gateway", gateway)
        yield
    await gateway.stop()


async def code(path: str, *headers: tuple[bytes, bytes]) -> int:
    """With which code the socket is closed; 0 when it stays open."""
    wire = socket(path, ORIGIN, *headers)
    assert (await wire.connect(5))[0]
    message = await wire.receive_output(5)
    if message["type"] == "websocket.close":
        return int(message["code"])
    await wire.disconnect()
    return 0
