"""Two at once: of racing edits one wins, of racing imports none is lost, and the sweeper takes nothing in use."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from billing.errors import ApiError
from bundles import deploy, store
from bundles.models import Bundle, Revision
from bundles.sweep import sweep
from tests.bundles.samples import HEAD, shop
from tests.conftest import Person

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 4


def at_once(act: Callable[[int], Any], count: int = WRITERS) -> list[Any]:
    """What ``count`` calls at the same moment came to: a value, or the status of a refusal."""
    start = Barrier(count)

    def one(number: int) -> Any:
        try:
            start.wait()
            return act(number)
        except ApiError as refused:
            return refused.status
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def person(transactional_db: None) -> Person:
    return Person("alice@example.org", "alice", "owner")


def test_of_racing_edits_exactly_one_wins(person: Person) -> None:
    bundle = store.import_files("test", person.tenant, shop()).bundle

    def edit(number: int) -> Any:
        mine = Bundle.objects.select_related("tenant").get(pk=bundle.pk)
        return store.put_file("test", mine, "a.txt", f"{number}".encode(), expected=1)

    done = at_once(edit)
    assert sorted(one if isinstance(one, int) else 200 for one in done) == [200] + [412] * (WRITERS - 1)
    winner = next(number for number, one in enumerate(done) if not isinstance(one, int))
    assert Bundle.objects.get().revision == 2
    assert store.contents_of(Revision.objects.get(number=2))["a.txt"] == f"{winner}".encode()


def test_of_racing_imports_of_a_new_name_one_makes_the_bundle(person: Person) -> None:
    done = at_once(lambda n: store.import_files("test", person.tenant, shop() | {"a.txt": f"{n}".encode()}))
    assert sorted(one.created for one in done) == [False] * (WRITERS - 1) + [True]
    assert Bundle.objects.get().revision == WRITERS
    assert sorted(Revision.objects.values_list("number", flat=True)) == list(range(1, WRITERS + 1))


def test_of_two_bundles_with_one_route_only_one_starts(person: Person) -> None:
    heads = [HEAD.replace(b"name: shop", b"name: shop%d" % number) for number in range(WRITERS)]
    made = [
        store.import_files("test", person.tenant, shop() | {"bundle.yaml": head}).bundle for head in heads
    ]
    done = at_once(
        lambda n: deploy.ask_run("test", Bundle.objects.select_related("tenant").get(pk=made[n].pk))
    )
    assert sorted(one if isinstance(one, int) else 202 for one in done) == [202] + [409] * (WRITERS - 1)
    assert Bundle.objects.filter(status="starting").count() == 1


def test_the_sweeper_takes_nothing_that_is_just_arriving(person: Person) -> None:
    old = store.import_files("test", person.tenant, shop() | {"a.txt": b"the same content"}).bundle
    store.delete("test", old)

    def act(number: int) -> Any:
        return (
            sweep()
            if number
            else store.import_files("test", person.tenant, shop() | {"a.txt": b"the same content"})
        )

    done = at_once(act, 2)
    assert store.contents_of(done[0].revision)["a.txt"] == b"the same content"
