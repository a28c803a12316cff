"""Rows of triggers in step with their flows, and what people do with them: pause, rotate, listen for a test call."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing.errors import ApiError
from billing.live import touch
from bundles.author import Author
from bundles.definitions import definition, served
from bundles.flowmodel import Flow as Model
from bundles.flowmodel import Trigger as Written
from bundles.flowrows import organisms
from bundles.models import Bundle, Flow, Revision
from runtime import schedules
from runtime.models import Trigger
from runtime.models.trigger import new_token

LISTEN = timedelta(minutes=5)


def revisions(bundle: Bundle) -> tuple[Revision | None, Revision | None]:
    """The newest revision and the one that runs."""
    numbers = [bundle.revision, bundle.live_revision]
    known = {one.number: one for one in bundle.revisions.filter(number__in=filter(None, numbers))}
    newest, live = (known.get(number) if number else None for number in numbers)
    return newest, live


def meaning(flow: Flow, revision: Revision | None) -> Model | None:
    return organisms(definition(revision)).get(flow.name) if revision is not None else None


def live_meaning(flow: Flow, revision: Revision | None) -> Model | None:
    """What runs of it in a revision: of one with errors its last good text."""
    return organisms(served(revision)).get(flow.name) if revision is not None else None


def meanings(flow: Flow) -> list[Model]:
    """What the flow means in the newest revision and in the one that runs."""
    newest, live = revisions(flow.bundle)
    return [model for model in (meaning(flow, newest), live_meaning(flow, live)) if model is not None]


def written(models: Iterable[Model]) -> dict[str, Written]:
    """The triggers by name; what an earlier one says counts."""
    found: dict[str, Written] = {}
    for model in models:
        for trigger in model.triggers:
            found.setdefault(trigger.name, trigger)
    return found


def rows(
    flow: Flow, wanted: dict[str, Written] | None = None, there: Iterable[Trigger] | None = None
) -> dict[str, Trigger]:
    """The rows of the flow's triggers by name, made and removed as its texts say."""
    wanted = written(meanings(flow)) if wanted is None else wanted
    known = {row.name: row for row in (Trigger.objects.filter(flow=flow) if there is None else there)}
    if {name: one.type for name, one in wanted.items()} != {name: row.type for name, row in known.items()}:
        known = settle(flow, wanted)
    return {name: known[name] for name in wanted if name in known}


@transaction.atomic
def settle(flow: Flow, wanted: dict[str, Written]) -> dict[str, Trigger]:
    Trigger.objects.filter(flow=flow).exclude(name__in=wanted).delete()
    for name, one in wanted.items():
        Trigger.objects.update_or_create(flow=flow, name=name, defaults={"type": one.type})
    return {row.name: row for row in Trigger.objects.filter(flow=flow)}


def of_bundle(bundle: Bundle, now: datetime) -> None:
    """After a start or a stop of the bundle: every row there, every schedule with its next time or none."""
    for flow in Flow.objects.filter(bundle=bundle).select_related("bundle__tenant"):
        of_flow(flow, now)


def of_flow(flow: Flow, now: datetime) -> None:
    live = live_model(flow)
    serving = {} if live is None or flow.stopped else {one.name: one for one in live.triggers}
    for name, row in rows(flow).items():
        schedules.settle(row, serving.get(name), now)


def live_model(flow: Flow) -> Model | None:
    """What runs of the flow, when its bundle runs."""
    return live_meaning(flow, revisions(flow.bundle)[1])


def find(flow: Flow, name: str) -> tuple[Trigger, Written]:
    """A trigger of the flow by its name, with what its text says."""
    row, text = rows(flow).get(name), written(meanings(flow)).get(name)
    if row is None or text is None:
        raise ApiError(404, "The flow has no such trigger.")
    return row, text


def change(
    by: Author, flow: Flow, row: Trigger, *, enabled: bool | None = None, rotate: bool = False
) -> Trigger:
    """Pause or resume it, or give it another token: the old one is worth nothing from then on."""
    values: dict[str, Any] = {}
    if enabled is not None and enabled != row.enabled:
        values["enabled"] = enabled
    if rotate:
        values["token"] = new_token()
    if not values:
        return row
    with transaction.atomic():
        Trigger.objects.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
        by.record("trigger.change", f"{flow.name}.{row.name}"[:300], enabled=row.enabled, rotated=rotate)
        if not flow.stopped:
            live = live_model(flow)
            text = next((one for one in live.triggers if one.name == row.name), None) if live else None
            schedules.settle(row, text, timezone.now())
        touch(flow.bundle.tenant_id)
    return row


def change_all(by: Author, flows: Iterable[Flow], type: str, *, enabled: bool) -> int:
    """Pause or resume every trigger of these flows, or those of one type; how many changed."""
    count = 0
    with transaction.atomic():
        for flow in flows:
            for row in rows(flow).values():
                if row.enabled != enabled and type in ("", row.type):
                    change(by, flow, row, enabled=enabled)
                    count += 1
    return count


def listen(row: Trigger) -> Trigger:
    """For a while the next call to the test address becomes the sample."""
    row.listening_until = timezone.now() + LISTEN
    Trigger.objects.filter(pk=row.pk).update(listening_until=row.listening_until)
    return row


def listening(row: Trigger, now: datetime) -> bool:
    return row.listening_until is not None and row.listening_until > now


def url(row: Trigger) -> str:
    return f"{settings.BASE_URL}/api/triggers/{row.flow_id}/webhook/{row.token}"
