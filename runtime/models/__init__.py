"""The tables of the runtime floor."""

from runtime.models.bucket import Bucket
from runtime.models.execution import CHANGES, Execution, Trigger
from runtime.models.goal import GoalState

__all__ = ["CHANGES", "Bucket", "Execution", "GoalState", "Trigger"]
