"""Reservations for scheduled runs (R27)."""

from dataclasses import replace

from market.futures import Run, Terms, covered, reservation
from market.reservation import Reservation

TERMS = Terms(enabled=True, budget=20)


def asked(run: Run, terms: Terms = TERMS, *, toggle: bool = True) -> Reservation | None:
    return reservation(run, "a", terms, now=1_000, toggle=toggle)


def test_the_window_is_a_minute_or_as_long_as_the_run_takes() -> None:
    """R27: credits are need / 500, rounded up."""
    assert asked(Run(2_000, 501)) == Reservation(0, "a", 2_000, 2_060, 2)
    assert asked(Run(2_000, 500, expected_s=90)) == Reservation(0, "a", 2_000, 2_090, 1)


def test_only_runs_inside_the_horizon_are_reserved() -> None:
    """R27."""
    assert asked(Run(4_600, 1))
    assert asked(Run(4_601, 1)) is None
    assert asked(Run(1_000, 1)) is None


def test_the_budget_of_the_month_is_a_limit() -> None:
    """R27: without a budget nothing is bought."""
    assert asked(Run(2_000, 500), replace(TERMS, spent=19))
    assert asked(Run(2_000, 501), replace(TERMS, spent=19)) is None
    assert asked(Run(2_000, 1), Terms(enabled=True)) is None


def test_it_needs_the_toggle_and_the_contract() -> None:
    """R27."""
    assert asked(Run(2_000, 1), toggle=False) is None
    assert asked(Run(2_000, 1), replace(TERMS, enabled=False)) is None


def test_a_run_inside_a_window_needs_no_other() -> None:
    """R24: it would overlap."""
    made = [Reservation(0, "a", 1_990, 2_010, 1)]
    assert covered(Run(2_000, 1), "a", made)
    assert not covered(Run(2_010, 1), "a", made)
    assert not covered(Run(2_000, 1), "b", made)
