"""What happened at one endpoint, intent or signal within five seconds: goals and usage come from these."""

from django.db import models

from bundles.models import Bundle


class Bucket(models.Model):
    """Calls when ``signal`` is empty, else samples of that signal."""

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="buckets")
    service = models.CharField(max_length=100)
    name = models.CharField(max_length=100, blank=True)  # the endpoint or intent
    signal = models.CharField(max_length=100, blank=True)
    second = models.PositiveBigIntegerField()  # Unix time at which it begins
    count = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)  # calls that failed or were answered 5xx
    down = models.PositiveBigIntegerField(default=0)  # of these, calls that the service did not answer itself
    total = models.FloatField(default=0)  # sum of milliseconds, or of the signal's values
    histogram = models.JSONField(default=dict)  # step of runtime/quantile.py -> calls

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("bundle", "service", "name", "signal", "second"), name="one_bucket"
            )
        ]
        indexes = [
            models.Index(fields=("bundle", "signal", "second"), name="buckets_of_bundle"),
            models.Index(fields=("second",), name="buckets_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.service} · {self.signal or self.name} · {self.second}"
