"""The flows of a bundle made ready to run, and for those that cannot the reason."""

from collections.abc import Mapping

from bundles.bundle import Definition
from bundles.flow import Flow
from runtime.flowplan import Plan, PlanError, plan


def plans(definition: Definition, idle: Mapping[str, str]) -> tuple[dict[str, Plan], dict[str, str]]:
    """Plans by name; ``idle`` with the reasons of those that cannot be planned added to it."""
    ready: dict[str, Plan] = {}
    reasons = dict(idle)
    for name, flow in definition.organisms.items():
        if name in idle:
            continue
        made = planned(flow)
        if isinstance(made, Plan):
            ready[name] = made
        else:
            reasons[name] = made
    return ready, reasons


def planned(flow: Flow) -> Plan | str:
    """The plan, or why there is none."""
    if flow.has_errors:
        first = next(problem for problem in flow.problems if problem.severity == "error")
        return f"it has errors, the first at {first.file}:{first.line}: {first.message}"
    try:
        return plan(flow)
    except PlanError as problem:
        return str(problem)
