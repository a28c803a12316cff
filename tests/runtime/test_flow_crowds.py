"""Messages of very many lists and objects, which take long to read: refused before they are, whoever made them."""

import json

import pytest

from runtime.flowframe import MAX_CONTAINERS, crowded, decoded
from tests.runtime import flowstage

MANY = [[]] * (MAX_CONTAINERS // 4)
CYCLE = """
listeners:
  - name: more
    handler: builtin:map
    with: {expr: "[payload, payload, payload, payload, payload]"}
    peers: [look]
    onError: sorry
  - {name: look, handler: "builtin:branch", with: {cases: [{if: "size(payload) > 1", to: done}]}, onError: sorry}
  - {name: done, handler: "builtin:map", with: {expr: "'read'"}}
  - {name: sorry, handler: "builtin:map", with: {expr: "payload.error"}}
"""


def test_a_message_of_too_many_lists_is_not_made() -> None:
    live = flowstage.bundle(f=CYCLE)
    error = flowstage.value(flowstage.run(live, MANY))
    assert (error["code"], error["node"]) == ("budget", "more")
    assert "250,000 lists and objects" in error["message"]
    assert flowstage.value(flowstage.run(live, MANY[:1000])) == "read"


def test_what_came_in_with_too_many_is_not_read_and_not_handed_on() -> None:
    first = "listeners:\n  - {name: first, handler: 'builtin:join', peers: [look]}"
    live = flowstage.bundle(f=CYCLE.replace("listeners:", first))
    error = flowstage.value(flowstage.run(live, MANY * 5))
    assert (error["code"], error["node"]) == ("budget", "look")


@pytest.mark.parametrize("one", ["[", "{", '\\"[', "]["])
def test_what_stands_in_texts_does_not_count(one: str) -> None:
    data = json.dumps({"text": one * (MAX_CONTAINERS + 1)}).encode()
    assert not crowded(data)
    assert decoded(data) == {"text": one * (MAX_CONTAINERS + 1)}


def test_as_many_as_allowed_pass_and_one_more_does_not() -> None:
    for count, refused in ((MAX_CONTAINERS - 1, False), (MAX_CONTAINERS, True)):
        for one in (b"[]", b"{}", b'{"[":[1]}'):
            room = count if one != b'{"[":[1]}' else count // 2 + refused
            assert crowded(b"[" + b",".join([one] * room) + b"]") is refused
