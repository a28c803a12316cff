"""How the answer of a prompt is streamed, as its front matter and a request say."""

from typing import Any

import pytest

from bundles import prompt, promptstreaming
from bundles.promptstreaming import Streaming

HEAD = "---\nid: a\nname: A\nversion: 1.0.0\nsse: {sse}\n---\nHello\n"


def load(sse: str) -> Any:
    return prompt.load({"a.prmd": HEAD.replace("{sse}", sse).encode()}, "a.prmd")


def test_the_front_matter_is_laid_over_what_is_usual() -> None:
    found = load("{chunkInterval: 5, heartbeat: 2000}")
    assert promptstreaming.of(found.settings) == Streaming(5, 1024, 2000)
    assert not found.problems
    assert promptstreaming.of(load("{heartbeat: false}").settings) == Streaming(beats=False)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("{chunkSize: 0}", "chunkSize"),
        ("{heartbeat: 5}", "heartbeat"),
        ("{chunks: 5}", "chunks"),
        ("often", "sse"),
    ],
)
def test_what_has_no_effect_is_told_at_its_line(written: str, line: str) -> None:
    found = load(written)
    (problem,) = found.problems
    assert (problem.severity, problem.line) == ("warning", 5)
    assert line in problem.message
    assert promptstreaming.of(found.settings) == Streaming()


@pytest.mark.parametrize("value", ["0", "70000", "-1", "x", "1.5", "", "9" * 30])
def test_a_request_keeps_the_bounds(value: str) -> None:
    made, errors = Streaming().with_options({"chunkSize": value})
    assert (made, [error["path"] for error in errors]) == (Streaming(), ["chunkSize"])
