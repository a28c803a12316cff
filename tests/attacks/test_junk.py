"""Every page and every operation with junk in all fields that the code reads (A073, A078, A079, A118): never a 500.

The names of fields are found in the code; a new route and a new field are in here by themselves.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from billing.belongings import rows_of
from tests.conftest import Person
from tests.priostack.routes import address, belongings, operations, pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("billing", "bundles", "market", "runtime", "priostack")
READ = re.compile(r'(?:GET|POST)(?:\.get|\.getlist)?[(\[]"(\w+)"')
FORM = re.compile(r"^    (\w+) = forms\.\w+Field\(", re.MULTILINE)
JUNK = ["", "abc", "-1", "9" * 5000, "a\0b", "2026-99-99T99:99"]


@cache
def names() -> list[str]:
    texts = [path.read_text() for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    return sorted({name for text in texts for name in (*READ.findall(text), *FORM.findall(text))})


@cache
def told_by_rest() -> dict[str, Any]:
    from priostack.api import api

    return dict(api.get_openapi_schema()["paths"])


def parameters(operation: Any) -> list[str]:
    """What the description of REST says that the operation reads from its query."""
    path = re.sub(r"{\w+:", "{", operation.path)
    told = told_by_rest()[path][operation.method.lower()]
    return [one["name"] for one in told.get("parameters", ()) if one["in"] == "query"]


ENDS = ("delete", "remove", "revoke", "cancel", "stop", "switch")  # something of one's own
GONE = ("leave", "sign-out", "tenant/delete", "settings/found")  # oneself, or leads to another tenant


def ordered() -> list[str]:
    """Such that as much as possible is still there, and we too."""
    ranks = {
        path: (any(word in path for word in GONE), any(word in path for word in ENDS)) for path in pages()
    }
    return sorted(ranks, key=lambda path: ranks[path])


def test_no_page_falls_over_junk(alice: Person) -> None:
    objects = belongings(alice)
    told: dict[Any, int] = {}
    alice.client.raise_request_exception = False
    for path in ordered():
        for junk in JUNK:
            fields = dict.fromkeys(names(), junk)
            short = {name: value[:500] for name, value in fields.items()}
            for answer in (
                alice.client.get(address(path, objects), short),
                alice.client.post(address(path, objects), fields),
            ):
                if answer.status_code >= 500:
                    told[path, answer.request["REQUEST_METHOD"], junk[:30]] = answer.status_code
    assert told == {}


BODIES = ["[]", "null", '"x"', '{"name": null, "a": [{}]}', '{"a": ' * 500]


def test_no_operation_of_rest_falls_over_junk(alice: Person) -> None:
    objects = belongings(alice)
    told: dict[Any, int] = {}
    alice.api.raise_request_exception = False
    for operation in sorted(operations(), key=lambda one: one.method == "DELETE"):
        ask = getattr(alice.api, operation.method.lower())
        for junk in JUNK:
            query = urlencode(dict.fromkeys(parameters(operation), junk[:500]))
            status = ask(f"{address(operation.path, objects)}?{query}").status_code
            told |= {(str(operation), junk[:30]): status} if status >= 500 else {}
        for body in BODIES if operation.method in {"POST", "PUT", "PATCH"} else ():
            status = ask(address(operation.path, objects), body, content_type="application/json").status_code
            told |= {(str(operation), body[:30]): status} if status >= 500 else {}
    assert told == {}


def kept(person: Person) -> dict[str, Any]:
    return {model.__name__: list(rows.order_by("pk").values()) for model, rows in rows_of(person.tenant.pk)}


def test_no_field_of_any_page_takes_what_is_another_tenants(alice: Person, charlie: Person) -> None:
    """A078: one's own addresses with the other's ids in every field show nothing of him and change nothing."""
    mine, theirs = belongings(alice), belongings(charlie)
    ids = {theirs[kind] for kind in ("flow.id", "bundle_id", "runs.id")} | {"charlie"}
    before = kept(charlie)
    for path in ordered():
        for one in sorted(ids):
            fields = dict.fromkeys(names(), one)
            page = alice.client.get(address(path, mine), fields)
            text = b"" if page.streaming else page.content
            others = [other for other in ids if len(other) == 36 and other != one and other.encode() in text]
            assert not others, (path, one)
        alice.client.post(address(path, mine), fields)
    assert kept(charlie) == before
    assert not charlie.tenant.memberships.filter(user=alice.user).exists()
