"""What becomes of an action that is not served: deadlines, back-off and the four fallbacks (R28 to R32)."""

from typing import Literal

from market.action import Action

Ending = Literal["done", "failed", "expired"]  # failed: 503 no_capacity, expired: 504 queue_timeout


def overdue(action: Action, free_cu: int) -> Action | Ending:
    """At the deadline: it ends, or what is left of it is cut to one entry and waits once more."""
    if action.fallback == "degrade" and not action.degraded:
        return action._replace(
            left=min(action.left, free_cu),
            deadline=action.deadline + action.max_wait,
            degraded=True,
        )
    return "failed" if action.fallback in ("fail", "degrade") else "expired"


def missed(action: Action, now: int, backoff_max: int) -> Action | Ending:
    """After a round that gave it nothing."""
    if action.fallback == "retry":
        rest = min(2 ** min(action.misses, 62), backoff_max)
        return action._replace(wake=now + 1 + rest, misses=action.misses + 1)
    if action.fallback == "fail" and action.left == action.need:
        return "failed"
    return action
