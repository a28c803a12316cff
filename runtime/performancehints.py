"""What measured figures suggest about a contract: the best practices that only show while calls are made."""

from collections.abc import Iterator, Mapping
from typing import Any

from bundles.contract import Contract
from market.estimate import buffered, count

ENOUGH = 20  # measured calls, before anything is said about them
ENTRY_CU = 100
NEAR = 0.8
REFUSED = 0.01
Figures = Mapping[str, Any]


def of(contract: Contract, figures: Figures) -> list[str]:
    """Plain sentences, the gravest first."""
    found = [*of_compute(contract, figures), *of_waiting(contract, figures)]
    return [*found, *of_money(contract, figures), *of_writing(contract)]


def of_compute(contract: Contract, figures: Figures) -> Iterator[str]:
    if not contract.compute_units_written or figures["measured"] < ENOUGH:
        return
    written, p95 = contract.compute_units, figures["raw"]
    right = buffered(max(p95, 1))
    if p95 >= written:
        yield f"computeUnits is {written:,}, and 5 of 100 calls use all of it: they are cut. Write {right:,} or more."
    elif count(written, ENTRY_CU) > count(right, ENTRY_CU):
        fewer = count(written, ENTRY_CU) - count(right, ENTRY_CU)
        yield (
            f"computeUnits is {written:,}, but 95 of 100 calls use at most {p95:,}. With {right:,} they would "
            f"stand in the queue with {fewer:,} fewer entries."
        )


def of_waiting(contract: Contract, figures: Figures) -> Iterator[str]:
    refused = sum(figures["refused"].values())
    if refused > figures["calls"] * REFUSED:
        yield f"{refused:,} of {figures['calls']:,} calls were refused: wait longer, bid more, or reserve."
    if figures["waits"]["p95_ms"] >= NEAR * contract.max_wait_ms:
        yield "5 of 100 calls wait nearly as long as maxWaitTime allows."


def of_money(contract: Contract, figures: Figures) -> Iterator[str]:
    if contract.cost_ceiling and figures["dearest"] >= NEAR * contract.cost_ceiling:
        yield f"A call cost {figures['dearest']:,} of the {contract.cost_ceiling:,} credits that costCeiling allows."


def of_writing(contract: Contract) -> Iterator[str]:
    if contract.futures_enabled and not contract.futures_budget:
        yield "futuresEnabled reserves nothing without a futuresBudget."
    if contract.priority in ("high", "critical") and contract.written("fallback") is None:
        yield f"A call of priority {contract.priority} without a fallbackBehavior waits in the queue, like all others."
