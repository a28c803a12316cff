"""What a node is built from is saved with its flow: one revision, within bounds, never over somebody's work."""

import base64
from typing import Any

import pytest

from bundles import store
from bundles.models import Flow, Revision
from tests.conftest import Person
from tests.guests import guest
from tests.runtime.test_api_flows import HELLO, made, newest, put

SOURCE = b"export function run(a: string): string { return a; }\n"


def packed(**files: bytes) -> dict[str, str]:
    return {path: base64.b64encode(data).decode() for path, data in files.items()}


def both(source: bytes = SOURCE) -> dict[str, str]:
    return packed(**{"wasm/greet.ts": source, "wasm/greet.wasm": guest("echo")})


def test_text_source_and_module_are_one_revision(alice: Any) -> None:
    flow = made(alice)
    text = HELLO.replace('builtin:output\n    with: {status: 200, body: "${payload}"}', "wasm:greet:run")
    saved = put(alice, flow, 1, organism_yaml=text, files=both())
    assert (saved.status_code, saved.json()["revision"], saved.json()["problems"]) == (200, 2, [])
    assert Revision.objects.count() == 2
    bundle = Flow.objects.get().bundle
    sent = alice.api.get(f"/api/bundles/{bundle.pk}/files/wasm/greet.ts")
    assert sent.content == SOURCE


@pytest.mark.parametrize(
    "path",
    [
        "bundle.yaml",
        "flows/hello.yaml",
        "wasm/../bundle.ts",
        "wasm/a/b.ts",
        "wasm/.ts",
        "wasm/a.py",
        "/wasm/a.ts",
    ],
)
def test_no_other_file_of_the_bundle_is_reached(alice: Any, path: str) -> None:
    flow = made(alice)
    assert put(alice, flow, 1, organism_yaml=HELLO + "# 1\n", files=packed(**{path: b"x"})).status_code == 422
    assert Revision.objects.count() == 1


def test_what_is_no_base64_and_what_is_no_module_are_told(alice: Any) -> None:
    flow = made(alice)
    assert put(alice, flow, 1, files={"wasm/a.ts": "%%"}).status_code == 422
    assert Revision.objects.count() == 1
    saved = put(alice, flow, 1, files=packed(**{"wasm/a.wasm": b"no module"}))
    assert saved.status_code == 200, "stored like any other file that is wrong"
    assert any(one["file"] == "wasm/a.wasm" and one["severity"] == "error" for one in newest().problems)


def test_files_need_the_revision_that_the_editor_has_seen(alice: Any) -> None:
    flow = made(alice)
    assert put(alice, flow, files=both()).status_code == 428
    assert put(alice, flow, 1, files=both()).status_code == 200
    mine = put(alice, flow, 1, organism_yaml=HELLO + "# mine\n", files=both(SOURCE + b"// mine"))
    assert (mine.status_code, mine.json()["detail"]) == (
        409,
        "Somebody else changed wasm/greet.ts meanwhile; open it again.",
    )
    assert Revision.objects.count() == 2
    assert store.newest(Flow.objects.get().bundle).number == 2


def test_strangers_and_readers_write_no_files(alice: Any, charlie: Person) -> None:
    flow = made(alice)
    assert put(charlie, flow, 1, files=both()).status_code == 404
    assert Revision.objects.count() == 1
