"""Cost previews (R4, R5, R14, R20, R21) and the shapes of charts: plain functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.chart import HEIGHT, chart
from market.preview import Purse, preview
from market.rules import Settings

RULES = Settings()


@pytest.mark.parametrize(
    ("need", "purse", "ceiling", "text"),
    [
        (225, Purse(True, 100, 50), None, "≈ 225 CU: 3 rounds free or 1–50 credits"),
        (248, Purse(True, 100), None, "≈ 248 CU: 3 rounds free or 1–100 credits"),
        (100, Purse(True, 10, 1), None, "≈ 100 CU: 1 round free or 1 credit"),
        (1_200, Purse(True, 100, 3), None, "≈ 1,200 CU: 12 rounds free or 3–4 credits"),
        (1_200, Purse(True, 2), None, "≈ 1,200 CU: 12 rounds free or 2 credits"),
        (25_000, Purse(True, 1_000), 20, "≈ 25,000 CU: 250 rounds free or 20 credits"),
        (225, Purse(True, 100), 0, "≈ 225 CU: 3 rounds free; its contract never bids"),
        (225, Purse(False, 100), None, "≈ 225 CU: 3 rounds free; auto-bid is off"),
        (225, Purse(True, 0), None, "≈ 225 CU: 3 rounds free; the wallet is empty"),
    ],
)
def test_a_preview_is_one_sentence(need: int, purse: Purse, ceiling: int | None, text: str) -> None:
    assert preview(need, purse, RULES, ceiling=ceiling).text == text


@given(
    need=st.integers(1, 25_000),
    balance=st.integers(0, 10**12),
    cap=st.integers(0, 10**6),
    ceiling=st.none() | st.integers(0, 10**6),
)
def test_a_preview_never_promises_more_than_wallet_and_ceiling_allow(
    need: int, balance: int, cap: int, ceiling: int | None
) -> None:
    found = preview(need, Purse(True, balance, cap), RULES, ceiling=ceiling)
    assert 0 <= found.least <= found.most <= balance
    assert ceiling is None or found.most <= ceiling
    assert bool(found.most) == (found.why == "")


def test_a_chart_is_made_of_steps_below_a_round_top() -> None:
    found = chart([0, 0, 23, 7])
    assert (found.top, found.last, found.peak) == (30, 7, 23)
    assert found.edge == "M0 100.0 H300.0 V23.3 H450.0 V76.7 H600"
    assert found.area.endswith("V100 H0 Z")


def test_a_limit_is_always_in_the_picture() -> None:
    low, high = chart([3], limit=1_000), chart([40_000], limit=1_000)
    for found in (low, high):
        assert found.line is not None
        assert 0 <= found.line <= HEIGHT


@given(st.lists(st.integers(0, 10**12), max_size=200))
def test_no_figure_leaves_the_picture(values: list[int]) -> None:
    found = chart(values)
    assert found.top >= found.peak
    heights = [float(part[1:]) for part in found.edge.split() if part.startswith("V")]
    assert all(0 <= height <= HEIGHT for height in heights)
