"""Whatever a server answers and whatever a node is filled with, the end is a reply or a failure, never a fault."""

import json
import random
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import flowhttp, llm, llmanthropic, llmollama, llmopenai
from runtime.flowneeds import Failure
from runtime.llm import LlmError, Message, Reply, Request, ToolCall
from runtime.llmwire import Speech, events
from tests.fakes import speech
from tests.fakes.brain import Asked, Turn
from tests.runtime.outsiders import Around, need

SPOKEN = [
    (llmopenai.SPEECH, speech.openai),
    (llmanthropic.SPEECH, speech.anthropic),
    (llmollama.SPEECH, speech.ollama),
]
ASKED = Asked("/", {}, {"model": "m", "stream": True})
TURN = Turn("words of a model", (("look", {"a": [1, "x"]}), ("done", {})))
JUNK = [
    None,
    0,
    -1,
    1e300,
    True,
    "",
    "x",
    [],
    {},
    [[]],
    [None],
    {"text": 5},
    {"function": None},
    "\ud83d\ude00",
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def spoiled(value: Any, dice: random.Random) -> Any:
    """The value with something in it replaced or left out."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(sorted(value))
        if dice.random() < 0.2:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: spoiled(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        at = dice.randrange(len(value))
        return [*value[:at], spoiled(value[at], dice), *value[at + 1 :]]
    return dice.choice(JUNK)


def sound(reply: Reply) -> bool:
    """Whether everything in it is what it should be."""
    calls = all(
        isinstance(one.id, str) and isinstance(one.name, str) and isinstance(one.arguments, Mapping | None)
        for one in reply.calls
    )
    return (
        calls
        and isinstance(reply.text, str)
        and isinstance(reply.usage.total, int)
        and reply.usage.total >= 0
    )


@pytest.mark.parametrize(("ours", "theirs"), SPOKEN, ids=["openai", "anthropic", "ollama"])
def test_a_spoiled_answer_is_a_reply_or_a_failure(ours: Speech, theirs: speech.Talk) -> None:
    whole = theirs.whole(ASKED, TURN)
    assert sound(ours.read(whole))
    for seed in range(3000):
        try:
            assert sound(ours.read(orjson.loads(json.dumps(spoiled(whole, random.Random(seed))))))
        except LlmError:
            continue
        except (TypeError, AttributeError) as fault:
            if not isinstance(spoiled(whole, random.Random(seed)), dict):
                continue  # refused before it is read
            raise AssertionError(seed) from fault


@pytest.mark.parametrize(("ours", "theirs"), SPOKEN, ids=["openai", "anthropic", "ollama"])
def test_a_spoiled_stream_is_a_reply_or_a_failure(ours: Speech, theirs: speech.Talk) -> None:
    parts = b"".join(theirs.stream(ASKED, TURN))
    for seed in range(1500):
        dice = random.Random(seed)
        told = [one for one in events(parts, lines=ours.lines) if one is not None]
        at = dice.randrange(len(told))
        told[at] = spoiled(dict(told[at]), dice)
        collector = ours.collector()
        try:
            for event in told:
                if not isinstance(event, dict):
                    raise ValueError("an event is no object")
                assert isinstance(collector.take(event), str)
            assert sound(collector.reply())
        except (LlmError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            continue  # runtime.llmsend makes a failure of each


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text() | st.dictionaries(st.text(), json_values, max_size=3), max_size=4), st.booleans())
def test_whatever_is_asked_can_be_packed(said: list[Any], streamed: bool) -> None:
    messages = [Message("user", llm.text(one)) for one in said]
    messages.append(Message("assistant", "", (ToolCall("1", "look", {"a": 1}, '{"a": 1}'),)))
    messages.append(Message("tool", "x", call_id="1"))
    for ours, _ in SPOKEN:
        body = ours.pack(
            Request(tuple(messages), max_tokens=3, temperature=2.0, json=True), "m", streamed
        ).body
        assert orjson.loads(orjson.dumps(body)) == body


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["method", "url", "headers", "query", "body", "timeout", "expect"]),
        json_values
        | st.sampled_from(
            ["http://127.0.0.1/", "http://[::1]/x?y#z", "post", "\ud800", {"\ud800": "\udfff"}]
        ),
        max_size=7,
    )
)
def test_whatever_an_http_node_is_filled_with_is_refused_in_words(options: dict[str, Any]) -> None:
    answer = run(flowhttp.perform(need("http", options, written={}), Around().context))
    assert isinstance(answer, Failure)
    assert answer.code in ("validation", "egress", "handler", "timeout")


def run(work: Any) -> Any:
    import asyncio

    return asyncio.run(asyncio.wait_for(work, 8))
