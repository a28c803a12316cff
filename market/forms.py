"""Forms of the market's pages: how to bid, and what to reserve."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from billing.credits import MOST
from market import localtimes
from market.reservations import Wanted

CHOICES = (("", "choose"), ("first", "the first time"), ("second", "the second time"))
LATER = {"": None, "first": False, "second": True}


class BiddingForm(forms.Form):
    auto_bid = forms.BooleanField(
        label="Auto-bid",
        required=False,
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
        help_text="Bid by itself when a price is paid. Off: your calls wait for free rounds.",
    )
    bid_cap = forms.IntegerField(
        label="Bid cap, credits a round",
        min_value=0,
        max_value=MOST,
        help_text="The most you pay in one round. 0 is no cap: only the wallet limits.",
        error_messages={"invalid": "A whole number of credits."},
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "step": 1}),
    )


class Moment(forms.DateTimeField):
    """As a browser's field for date and time sends it, without a zone."""

    def __init__(self, **more: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        super().__init__(widget=widget, input_formats=formats, **more)

    def to_python(self, value: Any) -> datetime | None:
        found = super().to_python(value)
        return found.replace(tzinfo=None) if found else None


class ReserveForm(forms.Form):
    """Times are those of `zone`, which the browser fills in; without JavaScript it is UTC."""

    start = Moment()
    start_time = forms.ChoiceField(choices=CHOICES, required=False, label="Which of the two")
    end = Moment()
    end_time = forms.ChoiceField(choices=CHOICES, required=False, label="Which of the two")
    zone = forms.CharField(
        label="Time zone", max_length=localtimes.LONGEST, help_text="Such as Europe/Berlin, or UTC."
    )
    credits = forms.IntegerField(
        min_value=1,
        max_value=MOST,
        error_messages={"invalid": "A whole number of credits.", "min_value": "1 credit or more."},
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "step": 1}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        where = localtimes.zone(given.get("zone", ""))
        if where is None:
            if "zone" in given:
                self.add_error("zone", "There is no such time zone.")
            return given
        for name in ("start", "end"):
            if isinstance(given.get(name), datetime):
                later = LATER[given.get(f"{name}_time", "")]
                try:
                    given[f"{name}_utc"] = localtimes.instant(given[name], where, later=later)
                except localtimes.Skipped:
                    self.add_error(name, "Clocks jump over this time on that day: choose another one.")
                except localtimes.Beyond:
                    self.add_error(name, "There is no such time in UTC.")
                except localtimes.Twice as twice:
                    first, second = twice.offsets
                    self.add_error(
                        f"{name}_time",
                        f"Clocks show {given[name]:%H:%M} twice on that day: first at UTC{first}, then at UTC{second}.",
                    )
        return given

    @property
    def twice(self) -> set[str]:
        """Fields whose time comes twice: only then somebody is asked which."""
        return {name for name in ("start_time", "end_time") if name in self.errors or self.data.get(name)}

    def wanted(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(given["start_utc"], given["end_utc"], given["credits"])


def proposal(now: datetime | None = None) -> dict[str, Any]:
    """What the form starts with: ten minutes, from the next but one full ten minutes on."""
    begin = (now or timezone.now()).astimezone(UTC).replace(second=0, microsecond=0)
    begin += timedelta(minutes=20 - begin.minute % 10)
    end = begin + timedelta(minutes=10)
    return {
        "start": begin.replace(tzinfo=None),
        "end": end.replace(tzinfo=None),
        "zone": "UTC",
        "credits": 10,
    }
