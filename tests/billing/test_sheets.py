"""Lists of people with hundreds of rows: in pages, searched, with the same few queries."""

from typing import Any

import pytest

from billing.models import ApiKey, Membership, User
from bundles import store
from tests.runtime import stage

pytestmark = pytest.mark.django_db


def keys(alice: Any, count: int) -> None:
    ApiKey.objects.bulk_create(
        ApiKey(tenant=alice.tenant, name=f"key {n:03}", prefix="ps_abc", digest=f"{n:064x}", scopes=["read"])
        for n in range(count)
    )


def members(alice: Any, count: int) -> None:
    people = [User(email=f"person{n:03}@example.org") for n in range(count)]
    for person in people:
        person.set_unusable_password()
    User.objects.bulk_create(people)
    made = User.objects.filter(email__startswith="person").order_by("email")
    Membership.objects.bulk_create(
        Membership(tenant=alice.tenant, user=person, role="viewer") for person in made
    )


@pytest.mark.parametrize(("fill", "path", "row"), [(keys, "keys", "key "), (members, "members", "person")])
def test_a_long_list_comes_in_pages_and_is_searched(
    alice: Any, fill: Any, path: str, row: str, django_assert_max_num_queries: Any
) -> None:
    fill(alice, 220)
    url = f"/settings/{path}"
    with django_assert_max_num_queries(15):
        first = alice.client.get(url).content.decode()
    assert 'rel="next"' in first
    assert 'rel="prev"' not in first
    assert "1 to 50 of 22" in first
    second = alice.client.get(f"{url}?page=2").content.decode()
    assert 'rel="prev"' in second
    found = alice.client.get(f"{url}?q=107").content.decode()
    assert f"{row}107" in found
    assert f"{row}106" not in found
    assert 'rel="next"' not in found
    assert "Nothing is called “xyz”" in alice.client.get(f"{url}?q=xyz").content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "99999", "x", "%00", ""])
def test_a_page_that_is_not_there_is_the_nearest_that_is(alice: Any, page: str) -> None:
    keys(alice, 60)
    assert alice.client.get(f"/settings/keys?page={page}&q=%00key").status_code == 200


def test_a_short_list_has_neither(alice: Any) -> None:
    keys(alice, 3)
    shown = alice.client.get("/settings/keys").content.decode()
    assert "Search keys" not in shown
    assert "Pages" not in shown


def test_the_search_stays_while_pages_are_turned(alice: Any) -> None:
    keys(alice, 120)
    assert "?q=key+0&amp;page=2" in alice.client.get("/settings/keys?q=key 0").content.decode()


def test_bundles_and_modules_have_pages_too(
    alice: Any, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("billing.sheets.ROWS", 2)
    for name in ("anna", "bert", "carl"):
        store.import_files(
            alice.email, alice.tenant, stage.bundle_files(name, ["echo"], POST_e="wasm:echo:run")
        )
    with django_assert_max_num_queries(15):
        first = alice.client.get("/bundles").content.decode()
    assert ("bert" in first, "carl" in first, "1 to 2 of 3" in first) == (True, False, True)
    assert "carl" in alice.client.get("/bundles?q=CAR").content.decode()
    assert alice.client.get("/modules?q=none").status_code == 200
