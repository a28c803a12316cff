"""The REST API is what openapi.json says; a change of it is made on purpose: `make openapi` writes it anew."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from priostack.api import api

SNAPSHOT = Path(__file__).with_name("openapi.json")


def written() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return found


def present() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    return found


def test_the_paths_are_those_of_the_snapshot() -> None:
    assert {path: sorted(verbs) for path, verbs in present()["paths"].items()} == {
        path: sorted(verbs) for path, verbs in written()["paths"].items()
    }


def test_every_operation_and_schema_is_that_of_the_snapshot() -> None:
    assert present() == written(), "if this change is meant: make openapi"


def test_the_command_writes_the_snapshot(tmp_path: Path) -> None:
    call_command("openapi", str(tmp_path / "x.json"))
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == SNAPSHOT.read_text(encoding="utf-8")


def test_the_platform_serves_it(client: Any) -> None:
    assert client.get("/api/openapi.json").json() == written()


@pytest.mark.parametrize("path", written()["paths"])
def test_every_operation_demands_a_key_or_session(path: str) -> None:
    for verb, operation in written()["paths"][path].items():
        assert operation.get("security"), f"{verb} {path}"
