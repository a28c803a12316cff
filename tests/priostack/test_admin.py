"""Every model of the admin, with rows of it: list, search, filters, sorting, adding, one row; few queries; no secret."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import secrets, variables, wallet
from billing.access import of_key
from billing.audit import write
from billing.models import ExecutionQuota, Invitation, ReleasedSlug, User, Variable
from bundles import hooks, store
from bundles.models import Bundle, Flow, Module, Revision
from market import reservations
from market.models import Bidding, Leadership, Round, Spend, SpendLimit
from market.reservations import Wanted
from runtime.models import Bucket, GoalState, Trigger, Usage
from tests.bundles.samples import shop, wasm
from tests.conftest import Person
from tests.runtime.watching import a_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
SEED = "JBSWY3DPEHPK3PXP"
CANARY = b"canary-9137"
NOW = datetime.now(UTC)
MODELS = [model for model in admin.site._registry if model is not Leadership]
READ = [
    "wallet",
    "journal",
    "leg",
    "executionquota",
    "auditentry",
    "secret",
    "variable",
    "revision",
    "binary",
    "flow",
]
READ += [
    "round",
    "reservation",
    "spend",
    "execution",
    "bucket",
    "usage",
    "goalstate",
    "trigger",
    "authenticator",
]
MOST_QUERIES = 16  # session, user, permissions, count twice, rows, choices of filters


def rows(person: Person, number: int) -> None:
    """One more row of every kind; each hangs on things of its own."""
    name, at = f"n{number}", NOW + timedelta(hours=number)
    bundle = store.import_files("test", person.tenant, named(name)).bundle
    Bundle.objects.filter(pk=bundle.pk).update(source={"git": "https://example.org/x.git"})
    bundle.refresh_from_db()
    hooks.make("test", bundle, deploy=False)
    flow = Flow.objects.create(bundle=bundle, name=name, path=f"flows/{name}.yaml")
    Trigger.objects.create(flow=flow, name=name, type="webhook")
    sha256 = Revision.objects.get(bundle=bundle).files["wasm/shop.wasm"][0]
    Module.objects.create(tenant=person.tenant, name=name, binary_id=sha256)
    Bucket.objects.create(bundle=bundle, service=name, name="list", second=number)
    Usage.objects.create(bundle=bundle, service=name, target="wasm:shop:echo", window=number)
    GoalState.objects.create(bundle=bundle, service=name, goal="g", metric="latency", target="< 1 ms")
    a_run(bundle, name)
    Spend.objects.create(bundle=bundle, month="2026-11")
    SpendLimit.objects.create(bundle=bundle)
    Round.objects.create(number=number, at=at)
    reservations.make(person.tenant.pk, Wanted(at + timedelta(hours=1), at + timedelta(hours=2), 1))
    accounts(person, name)


def accounts(person: Person, name: str) -> None:
    user = User.objects.create_user(f"{name}@example.org", "x")
    EmailAddress.objects.create(user=user, email=user.email)
    TOTP.activate(user, SEED)
    RecoveryCodes.activate(user)
    secrets.put(person.tenant, name, CANARY, ["api.stripe.com"])
    variables.put(person.tenant, name, CANARY.decode())
    write(of_key(person.key), "key.create", name)
    Invitation.objects.create(
        tenant=person.tenant, email=f"i{name}@x.org", role="viewer", digest=name, expires=NOW
    )
    ExecutionQuota.objects.create(tenant=person.tenant, period=name)
    ReleasedSlug.objects.create(slug=name, until=NOW)
    Group.objects.create(name=name)
    wallet.grant(person.tenant.pk, 1, key=name, note=name)


def named(name: str) -> dict[str, bytes]:
    files = shop() | {"wasm/shop.wasm": wasm(1024 + 8 * int(name[1:]))}
    return files | {"bundle.yaml": files["bundle.yaml"].replace(b"name: shop", f"name: {name}".encode())}


@pytest.fixture
def root(alice: Person, charlie: Person) -> Client:
    for person in (alice, charlie):
        wallet.grant(person.tenant.pk, 100, key=f"k{person.tenant}", note="n")
        Bidding.objects.get_or_create(tenant=person.tenant)
    rows(alice, 1)
    client = Client()
    user = User.objects.create_superuser("root@example.org", "x")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def at(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def lists(root: Client, model: Any) -> list[str]:
    """The list as it comes, searched, sorted by every column, and under every choice of every filter."""
    where = at(model, "changelist")
    first = root.get(where)
    listed = first.context["cl"]
    wanted = ["", "?q=shop", "?q=%00", "?q=" + "x" * 300, "?all=", "?p=1", "?e=1"]
    wanted += [f"?o={number}" for number in range(1, len(listed.list_display) + 1)]
    for spec in listed.filter_specs:
        wanted += [choice["query_string"] for choice in spec.choices(listed)]
    return [where + query for query in wanted]


def test_every_list_answers_however_it_is_asked(root: Client) -> None:
    told: dict[str, int] = {}
    for model in MODELS:
        assert model._default_manager.exists(), f"make a row of {model} above"
        ours = admin.site._registry[model]
        assert ours.get_search_fields(root.get(at(model, "changelist")).wsgi_request), model
        assert model is Group or len(ours.list_display) > 1
        for where in lists(root, model):
            status = root.get(where).status_code
            told |= {} if status in (200, 302) else {where: status}
    assert told == {}


def test_each_row_is_shown_and_nothing_that_opens_something(root: Client, alice: Person) -> None:
    sealed = [
        alice.key.digest,
        Trigger.objects.get().token,
        alice.user.password,
        SEED,
        "sealed:",
        "hook_secret",
    ]
    for model in MODELS:
        pages = [root.get(at(model, "changelist"))]
        for row in model._default_manager.all():
            pages += [root.get(at(model, "change", row.pk)), root.get(at(model, "history", row.pk))]
        hidden = sealed if model is Variable else [*sealed, CANARY.decode()]
        for page in pages:
            assert page.status_code == 200, page.request["PATH_INFO"]
            text = page.content.decode()
            assert [one for one in hidden if one in text] == [], page.request["PATH_INFO"]
        assert root.get(at(model, "add")).status_code in (200, 403)


def test_more_rows_need_no_more_queries(root: Client, alice: Person) -> None:
    def asked(where: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert root.get(where).status_code == 200
        return len(queries)

    pages = [at(model, "changelist") for model in MODELS]
    before = {where: asked(where) for where in pages}
    for number in (2, 3, 4):
        rows(alice, number)
    after = {where: asked(where) for where in pages}
    firsts = {at(model, "change", row.pk) for model in MODELS for row in model._default_manager.all()[:1]}
    assert {where: (before[where], count) for where, count in after.items() if count > before[where]} == {}
    assert {where: count for where, count in before.items() if count > MOST_QUERIES} == {}
    assert {where: count for where in firsts if (count := asked(where)) > MOST_QUERIES} == {}


def test_what_is_history_or_follows_from_files_is_not_written_there(root: Client) -> None:
    for model in [model for model in MODELS if model._meta.model_name in READ]:
        before = list(model._default_manager.order_by("pk").values())
        row = model._default_manager.first()
        assert row
        for where in (at(model, "change", row.pk), at(model, "add")):
            assert root.post(where, {"name": "x"}).status_code == 403, where
        assert list(model._default_manager.order_by("pk").values()) == before


def test_the_leaders_row_and_the_index_are_shown(root: Client) -> None:
    Leadership.objects.get_or_create(pk=1)
    assert root.get(at(Leadership, "changelist")).status_code == 200
    assert root.get(at(Leadership, "change", 1)).status_code == 200
    assert root.get(at(Leadership, "add")).status_code == 403
    assert root.get("/admin/").status_code == 200
