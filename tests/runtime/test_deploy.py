"""What keeps a bundle from starting: a module that it names and that does not compile, and no other."""

from typing import Any

import pytest

from bundles import deploy as asking
from bundles import registry
from bundles.models import Binary, Bundle
from runtime import deploy, guests
from tests.runtime import stage
from tests.runtime.wat import wasm

pytestmark = pytest.mark.django_db(transaction=True)
# A well-formed module whose one function has no sense: the reader admits it, the compiler does not.
SENSELESS = wasm('(module (func (export "run") (result i32) (i32.const 1)))').replace(b"A\1\x0b", b"A\1\x1a")


def broken(person: Any, name: str) -> Binary:
    module, _ = registry.add("test", person.tenant, name, SENSELESS)
    guests.compile_binary(module.binary_id)
    return Binary.objects.get(pk=module.binary_id)


def started(person: Any, target: str) -> Bundle:
    files = stage.bundle_files("s", ["echo"], POST_e="wasm:echo:run", POST_f=target)
    bundle = stage.store.import_files(person.email, person.tenant, files).bundle
    asking.ask_run(person.email, bundle)
    deploy.start(bundle.pk)
    bundle.refresh_from_db()
    return bundle


def test_a_module_that_does_not_compile_stops_only_who_names_it(alice: Any, clean_redis: None) -> None:
    assert broken(alice, "senseless").state == Binary.State.FAILED
    spared = started(alice, "wasm:echo:run")
    assert (spared.status, spared.status_note) == ("running", "")
    assert "senseless" not in spared.live_modules
    named = started(alice, "wasm:senseless:run")
    assert named.status == "error"
    assert "senseless: " in named.status_note
    assert named.live_revision == 1, "what ran goes on running"


def test_nobody_waits_for_a_worker_because_of_it(alice: Any, clean_redis: None) -> None:
    broken(alice, "senseless")
    bundle = started(alice, "wasm:echo:run")
    assert deploy.run(alice.email, bundle).status == "running"
