"""The tables of the runtime floor."""

from runtime.models.bucket import Bucket
from runtime.models.execution import CHANGES, Execution, State
from runtime.models.execution import Trigger as Cause
from runtime.models.goal import GoalState
from runtime.models.trigger import Trigger
from runtime.models.usage import Usage

__all__ = ["CHANGES", "Bucket", "Cause", "Execution", "GoalState", "State", "Trigger", "Usage"]
