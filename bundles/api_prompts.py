"""`/api/prompts/compile`: files in, the compiled prompt out; nothing is stored and no model is asked."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from billing.door import Asked, Door
from billing.errors import ApiError
from bundles import compilerate, paths
from bundles.nunjucks import Limits
from bundles.nunjucks.limits import Words
from bundles.promptcompile import Format, prepare
from bundles.promptfiles import spent
from bundles.shapes import Encoded, contents_of

MAX_BODY = 8 * 1024 * 1024
MAX_FILES = 1000
# Less than a run has: whoever edits waits for the answer, and a worker for them. Together about half a second.
LIMITS = Limits(steps=500_000, output=4_000_000, seconds=1.0)
MAX_WORDS = 100_000
DOCUMENT_STEPS = 3  # that take as long as a character's worth of a document
router = Router(tags=["prompts"])


class ToCompile(Schema):
    model_config = ConfigDict(extra="forbid")
    files: dict[str, str | Encoded] = Field(max_length=MAX_FILES)
    main: str = Field(max_length=paths.MAX_PATH)
    params: dict[str, Any] = Field(default_factory=dict)
    format: Format = "markdown"


class SmallDoor(Door):
    """Refuses a body that is too large before anybody reads it as JSON."""

    def __call__(self, request: HttpRequest) -> Any:
        who = super().__call__(request)
        if len(request.body) > MAX_BODY:
            raise ApiError(413, f"Files and values have at most {MAX_BODY:,} bytes.")
        return who


@router.post("/prompts/compile", auth=SmallDoor("read"))
def compile_prompt(request: Asked, body: ToCompile) -> dict[str, Any]:
    """Compile one of these files with these values; what is wrong is told beside the text."""
    contents = contents_of(body.files)
    for path in contents:
        if why := paths.file_fault(path):
            raise ApiError(422, f"A path of 'files' {why}.", errors=[{"path": "files", "message": why}])
    compilerate.demand(request.who)
    words, steps, before = Words(MAX_WORDS), list[int](), spent.work
    try:
        ready = prepare(contents, body.main, words)
        limits = replace(LIMITS, told=steps.append)
        return ready.render(body.params, body.format, limits=limits).json()
    finally:
        documents = DOCUMENT_STEPS * (spent.work - before)
        compilerate.spend(request.who, words=MAX_WORDS - words.left, steps=sum(steps) + documents)
