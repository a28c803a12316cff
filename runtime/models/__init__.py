"""The tables of the runtime floor."""

from runtime.models.execution import CHANGES, Execution, Trigger
from runtime.models.goal import GoalState

__all__ = ["CHANGES", "Execution", "GoalState", "Trigger"]
