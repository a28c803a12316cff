"""Targets: three kinds, one grammar, and the exports that a function name may mean."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import target
from bundles.target import Target, TargetError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wasm:cart:addToCart", Target("wasm", "cart", "addToCart")),
        ("flow:research", Target("flow", "research")),
        ("flow:research:greeter.main", Target("flow", "research", "greeter.main")),
        ("prompt:tech-blog", Target("prompt", "tech-blog")),
    ],
)
def test_a_target_reads_and_writes_itself(text: str, expected: Target) -> None:
    assert target.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wasm",
        "wasm:",
        "wasm:cart",
        "wasm::f",
        "wasm:cart:",
        "wasm:a:b:c",
        "flow:",
        "prompt:a:b",
        "http://x/y",
        "wasm:../x:f",
        "wasm:a b:f",
        " wasm:a:f",
        "wasm:a\u200b:f",
        "wasm:a:f\n",
        "wasm:" + "a" * 101 + ":f",
        "js:eval",
    ],
)
def test_anything_else_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(TargetError, match="a target is wasm:MODULE:FUNCTION"):
        target.parse(text)


def test_a_misspelt_kind_gets_a_hint() -> None:
    with pytest.raises(TargetError, match="did you mean 'wasm'"):
        target.parse("wsam:cart:add")


@pytest.mark.parametrize(
    ("exports", "expected"),
    [
        ({"getCart", "handle_getCart"}, "getCart"),
        ({"handle_getCart", "get-cart"}, "handle_getCart"),
        ({"get-cart", "get_cart"}, "get-cart"),
        ({"get_cart"}, "get_cart"),
        ({"handle_get_cart"}, "handle_get_cart"),
        ({"handle-get-cart", "handleGetCart"}, "handle-get-cart"),
        ({"handleGetCart"}, "handleGetCart"),
        ({"getcart", "memory"}, None),
    ],
)
def test_the_best_export_is_found(exports: set[str], expected: str | None) -> None:
    assert target.resolve("getCart", exports) == expected


def test_kebab_names_find_camel_exports() -> None:
    assert target.resolve("get-user-cart", {"getUserCart"}) == "getUserCart"


@settings(deadline=None)
@given(st.text(max_size=40))
def test_every_text_is_a_target_or_refused(text: str) -> None:
    with contextlib.suppress(TargetError):
        assert str(target.parse(text)) == text
