"""Unquoted texts as the loader reads them; the canvas reads the same table (tests/canvas/scalars.test.ts)."""

import json
from pathlib import Path
from typing import Any

import pytest

from bundles import values

TABLE = Path(__file__).resolve().parents[1] / "canvas" / "scalars.json"
ROWS: list[dict[str, Any]] = json.loads(TABLE.read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: repr(row["text"]))
def test_an_unquoted_text_is_what_the_table_says(row: dict[str, Any]) -> None:
    document = values.parse(f"value: {row['text']}\n".encode(), file="f.yaml")
    assert document.root is not None
    wanted = int(row["value"]["whole"]) if isinstance(row["value"], dict) else row["value"]
    found = values.plain(document.root)
    assert found == {"value": wanted}
    assert type(found["value"]) in ({int, float} if type(wanted) in (int, float) else {type(wanted)})


@pytest.mark.parametrize("text", ["0b_", "0x_", "-0x__"])
def test_a_number_without_digits_is_told_as_a_problem(text: str) -> None:
    document = values.parse(f"value: {text}\n".encode(), file="f.yaml")
    assert [(one.severity, one.line) for one in document.problems] == [("error", 1)]
