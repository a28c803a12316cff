"""Who turns the rounds: one row, by whose term and number every round's transaction is fenced."""

from django.db import models


class Leadership(models.Model):
    """A leader takes office by raising `term`; a round is allowed only once, above `number`, in its own term."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    term = models.PositiveBigIntegerField(default=0)
    holder = models.CharField(max_length=100, blank=True)
    until = models.DateTimeField(null=True)  # for people to see; the lease is in Redis, the fence is the term
    number = models.BigIntegerField(default=0)  # the last round with a transaction

    class Meta:
        verbose_name_plural = "leadership"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_leadership")]

    def __str__(self) -> str:
        return f"term {self.term}, round {self.number}"
