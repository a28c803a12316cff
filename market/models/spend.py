"""How much a bundle may spend in a calendar month (UTC), and what it spent."""

from django.db import models

from bundles.models import Bundle


class SpendLimit(models.Model):
    """Without a row, and where a field is empty, only the wallet and the account's bid cap limit."""

    bundle = models.OneToOneField(
        Bundle, primary_key=True, on_delete=models.CASCADE, related_name="spend_limit", editable=False
    )
    monthly_credits = models.PositiveBigIntegerField("credits a month", null=True, blank=True)
    # for calls by strangers to endpoints with `auth: public`; they count above as well
    strangers_monthly = models.PositiveBigIntegerField("of them by strangers", null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.bundle} · {self.monthly_credits} · {self.strangers_monthly}"


class Spend(models.Model):
    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="spend")
    month = models.CharField(max_length=7)  # "2026-11"
    credits = models.BigIntegerField(default=0)  # by everybody
    strangers = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "spend"
        ordering = ("-month",)
        constraints = [
            models.UniqueConstraint(fields=("bundle", "month"), name="one_spend"),
            models.CheckConstraint(
                condition=models.Q(credits__gte=0) & models.Q(strangers__gte=0), name="spend_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bundle} · {self.month} · {self.credits}"
