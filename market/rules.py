"""The figures of the market's rules, as one value that every part of the clearing is given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults are those of the documentation; all are whole numbers."""

    threshold: int = 1_000
    slots: int = 200
    cu_per_credit: int = 500
    free_cu: int = 100
    free_lane: int = 50
    aging_rounds: int = 10
    tenant_pressure_cap: int = 0
    max_reservations: int = 200
    backoff_max: int = 32

    @property
    def capacity(self) -> int:
        """CU that one round has: every slot sold at one credit."""
        return self.slots * self.cu_per_credit
