"""Goals of running bundles: evaluated from time to time, each metric's state kept with its recent history."""

from datetime import datetime
from uuid import UUID

from bundles.definitions import definition
from bundles.goals import Metric
from bundles.models import Bundle, Revision, Status
from runtime import measure, signals
from runtime.models import Bucket, GoalState

HISTORY = 120
KEPT_COLUMNS = ("state", "value", "target", "history", "at", "since")
Key = tuple[str, str, str]  # service, goal, metric


def evaluate(now: datetime) -> int:
    """Look at every metric of every running bundle; how many there were."""
    signals.expire(now)
    GoalState.objects.exclude(bundle__status=Status.RUNNING).exclude(since=None).update(since=None)
    running = Bundle.objects.filter(status=Status.RUNNING, live_revision__isnull=False)
    return sum(of_bundle(bundle, now) for bundle in running.iterator())


def begin(tenant_id: UUID, now: datetime) -> None:
    """Look at once at those of a tenant's bundles that nobody has looked at since they run."""
    seen = GoalState.objects.filter(bundle__tenant_id=tenant_id).exclude(since=None).values("bundle")
    running = Bundle.objects.filter(tenant_id=tenant_id, status=Status.RUNNING, live_revision__isnull=False)
    for bundle in running.exclude(pk__in=seen):
        of_bundle(bundle, now)


def of_bundle(bundle: Bundle, now: datetime) -> int:
    """Evaluate one bundle; states of goals that its live revision does not have any more are dropped."""
    wanted = metrics(bundle)
    known = {(row.service, row.goal, row.metric): row for row in GoalState.objects.filter(bundle=bundle)}
    gone = [row.pk for key, row in known.items() if key not in wanted]
    if gone:
        GoalState.objects.filter(pk__in=gone).delete()
    rows = [look(known.get(key) or blank(bundle, key), metric, now) for key, metric in wanted.items()]
    GoalState.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["bundle", "service", "goal", "metric"],
        update_fields=KEPT_COLUMNS,
    )
    return len(rows)


def metrics(bundle: Bundle) -> dict[Key, Metric]:
    """Every metric of the live revision under the name it is kept by; twins of one goal are numbered."""
    revision = Revision.objects.filter(bundle=bundle, number=bundle.live_revision or 0).first()
    found: dict[Key, Metric] = {}
    if revision is None:
        return found
    for service in definition(revision).services:
        for goal in service.goals:
            for metric in goal.metrics:
                key, number = (service.name[:100], goal.name[:100], metric.signal[:90]), 2
                while key in found:
                    key, number = (*key[:2], f"{metric.signal[:90]} {number}"), number + 1
                found[key] = metric
    return found


def blank(bundle: Bundle, key: Key) -> GoalState:
    return GoalState(bundle=bundle, service=key[0], goal=key[1], metric=key[2])


def look(row: GoalState, metric: Metric, now: datetime) -> GoalState:
    """The row as it is now. What cannot be known keeps the last value, but says so."""
    row.pk, row.since, row.at = None, row.since or now, now
    row.target = measure.target(metric)[:60]
    window = measure.Window.of(metric, row.since.timestamp(), now.timestamp())
    calls = Bucket.objects.filter(bundle=row.bundle, service=row.service)
    value = measure.value(calls, metric, window) if window else None
    if value is None:
        row.state = "unknown"
        return row
    row.state, row.value = measure.state(metric, value), round(value, 6)
    row.history = [*row.history, [int(now.timestamp()), row.value]][-HISTORY:]
    return row
