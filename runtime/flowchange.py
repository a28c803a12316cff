"""What a save of a flow may change, within bounds."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from billing.errors import ApiError
from bundles.flowrows import MAX_CANVAS

MAX_FOLDER = 100
MAX_TAGS, MAX_TAG = 20, 40
MAX_DESCRIPTION = 10_000
MAX_FILES, MAX_FILE = 20, 1024 * 1024
BESIDE = re.compile(r"wasm/[A-Za-z][A-Za-z0-9_-]{0,79}\.(?:ts|wasm)")


@dataclass(frozen=True, slots=True)
class Change:
    """None leaves things as they are."""

    text: str | None = None
    name: str | None = None
    description: str | None = None
    folder: str | None = None
    tags: Sequence[str] | None = None
    canvas: Mapping[str, Any] | None = None
    message: str = ""
    files: Mapping[str, bytes] | None = None  # of the bundle, in the same revision as the text

    def kept(self) -> dict[str, Any]:
        """What of it stands in the row."""
        known = {
            "description": self.description,
            "folder": self.folder,
            "tags": self.tags,
            "canvas": self.canvas,
        }
        return {name: value for name, value in known.items() if value is not None}


def checked(change: Change) -> Change:
    """The same, tidied; 422 for what is too long or cannot be stored."""
    if change.canvas is not None:
        check_canvas(change.canvas)
    return replace(
        change,
        description=plain(change.description, MAX_DESCRIPTION, "The description", lines=True),
        folder=plain(change.folder, MAX_FOLDER, "A folder's name"),
        tags=None if change.tags is None else tags(change.tags),
    )


def plain(text: str | None, longest: int, what: str, *, lines: bool = False) -> str | None:
    if text is None:
        return None
    text = text.strip() if lines else " ".join(text.split())
    if len(text) > longest or "\0" in text or not (lines or text.isprintable()):
        raise ApiError(422, f"{what} has at most {longest} visible characters.")
    return text


def tags(given: Sequence[str]) -> list[str]:
    found = [plain(tag, MAX_TAG, "A tag") or "" for tag in given]
    found = list(dict.fromkeys(tag for tag in found if tag))
    if len(found) > MAX_TAGS:
        raise ApiError(422, f"A flow has at most {MAX_TAGS} tags.")
    return found


def beside(given: Mapping[str, str]) -> dict[str, bytes]:
    """What a node is built from, as base64: wasm/NAME.ts and wasm/NAME.wasm, and nothing else of the bundle."""
    found = {}
    for path, text in given.items():
        if not BESIDE.fullmatch(path):
            raise ApiError(422, "Files that go with a flow are wasm/NAME.ts and wasm/NAME.wasm.")
        try:
            found[path] = base64.b64decode(text, validate=True)
        except ValueError:
            raise ApiError(422, f"{path} is not base64.") from None
    if len(found) > MAX_FILES or any(len(data) > MAX_FILE for data in found.values()):
        raise ApiError(413, f"At most {MAX_FILES} files of {MAX_FILE} bytes go with a flow.")
    return found


def check_canvas(canvas: Mapping[str, Any]) -> None:
    try:
        text = json.dumps(canvas, allow_nan=False)
    except (ValueError, RecursionError):
        raise ApiError(422, "The canvas cannot be written as JSON.") from None
    if len(text) > MAX_CANVAS or "\\u0000" in text:
        raise ApiError(422, f"The canvas has at most {MAX_CANVAS} bytes, without NUL.")
