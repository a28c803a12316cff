"""The last evaluation of one metric of a goal, with its recent history for the sparkline."""

from django.db import models

from bundles.models import Bundle


class GoalState(models.Model):
    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="goals")
    service = models.CharField(max_length=100)
    goal = models.CharField(max_length=100)
    metric = models.CharField(max_length=100)
    state = models.CharField(max_length=10, default="unknown")  # met, at risk, breached, unknown
    value = models.FloatField(null=True)
    target = models.CharField(max_length=60)
    history = models.JSONField(default=list)  # [[unix seconds, value], …], newest last
    at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)  # when this run of the bundle was first looked at

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("bundle", "service", "goal", "metric"), name="one_goal_state")
        ]

    def __str__(self) -> str:
        return f"{self.service} · {self.goal} · {self.metric}"
