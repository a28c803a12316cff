"""`python -m tests.market.doomed STEP N`: a leader in a process of its own that kills itself (-9) at a step of a round."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


def main(step: str, times: int) -> None:
    django.setup()
    from market import office, rounds
    from market.leader import Driver, Term

    steps: dict[str, tuple[Any, str, bool]] = {  # where, its name, whether it dies before it
        "after taking messages": (office.Lease, "take", False),
        "in office": (office, "take", False),
        "before the round": (rounds, "clear", True),
        "before the charge": (rounds, "charge", True),
        "before the commit": (rounds, "write", False),
        "after the commit": (rounds, "clear", False),
        "before the push": (office.Lease, "send", True),
        "after the push": (office.Lease, "send", False),
        "after the state": (Term, "_state", False),
    }
    if step != "never":
        where, name, before = steps[step]
        setattr(where, name, dying(getattr(where, name), times, before=before))
    driver = Driver()
    driver.start()
    print("ready", flush=True)
    driver.join()


def dying(function: Callable[..., Any], times: int, *, before: bool) -> Callable[..., Any]:
    left = [times]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before:
            result, counts = None, True
        else:
            result = function(*args, **kwargs)
            counts = bool(result) or function.__name__ != "take"
        if counts:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs) if before else result

    return wrapped


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
