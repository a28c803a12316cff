"""A question a suspended guest waits on: a stored value, a listing, a request outside, another service."""

from collections.abc import Iterable

from runtime.host import HostCall, HostFailure, Missing, Outcome


class Ask:
    """`kind` is kv, list, http or call; `name` the key, prefix or target; `payload` the request bytes."""

    __slots__ = ("_call", "answered", "failure", "kind", "missing", "name", "payload")

    def __init__(self, call: HostCall, missing: Missing) -> None:
        self._call = call
        self.missing = missing
        self.kind, self.name, self.payload = missing
        self.answered = False
        self.failure: HostFailure | None = None

    def answer(self, outcome: Outcome | Iterable[str]) -> None:
        """Bytes, None for absent, keys for a list, or a HostFailure; then poll the fiber again.

        A failed http or call is told to the guest; a store that cannot be read ends the run.
        """
        if isinstance(outcome, HostFailure) and self.kind in ("kv", "list"):
            self.failure = outcome
        else:
            self._call.learn(self.missing, outcome)
        self.answered = True
