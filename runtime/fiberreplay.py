"""A resumable call without fibers, for the public classes: after each answer it runs again from the start."""

from typing import TYPE_CHECKING

from runtime import wasmpublic
from runtime.fiberask import Ask
from runtime.host import HostCall
from runtime.hostcalls import Unknown
from runtime.wasmtypes import Answer, Limits, Trap

if TYPE_CHECKING:
    from runtime.wasmguest import Guest


class ReplayFiber:
    """Runs are deterministic and without effects, so repeating one gives what continuing it would have."""

    def __init__(
        self,
        guest: "Guest",
        function: str,
        request: bytes,
        *,
        call: HostCall,
        limits: Limits,
        slice_fuel: int,
    ) -> None:
        self.guest, self.limits, self.call, self._request = guest, limits, call, request
        self.entry = guest.entry(function)
        self._ask: Ask | None = None
        self.spent = 0
        self.answer: Answer | None = None
        self.error: BaseException | None = None

    @property
    def ask(self) -> Ask | None:
        """What the guest waits for, or None when polling would advance it."""
        return self._ask if self._ask is not None and not self._ask.answered else None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def poll(self) -> bool:
        """Run until the end or the next question; slices are not available here."""
        if self.done or self.ask is not None:
            return self.done
        if self._ask is not None and self._ask.failure is not None:
            self.error = Trap("unavailable", self._ask.failure.message, fuel=self.spent)
            return True
        self.call.restart()
        self.guest.engine.ticker.begin()
        try:
            self.answer = wasmpublic.run(
                self.guest, self.entry, self._request, self.call, self.limits, self.limits.fuel
            )
            self.spent = self.answer.fuel
        except Unknown as unknown:
            self._ask = Ask(self.call, unknown.missing)
        except Trap as trap:
            self.spent = trap.fuel
            self.error = trap
        return self.done

    def close(self) -> None:
        """Nothing is held between polls."""
