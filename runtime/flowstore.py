"""Every verb on flows, called alike by page and REST: create, save, rename, duplicate, delete, start, stop."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing.access import Principal, tenant_of
from billing.errors import ApiError
from billing.live import touch
from bundles import deploy, files, limits, locks, store, values
from bundles.author import Author
from bundles.definitions import definition
from bundles.flowmodel import Flow as Model
from bundles.flowrows import organisms
from bundles.models import Bundle, Flow, Revision, Status
from runtime import deploy as starting
from runtime import triggers
from runtime.flowchange import Change, checked
from runtime.flowexamples import BLANK
from runtime.flowqueue import SERVICE
from runtime.models import Execution

DEFAULT = "default"
HEAD = b"name: default\ndescription: Flows that belong to no other bundle\n"
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,99}")
UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")
MAX_TEXT = 1024 * 1024
MAX_NAME = 100


class Stale(ApiError):
    """Somebody else saved the flow: with the text that both began from and the one that is there now."""

    def __init__(self, base: dict[str, Any] | None, current: dict[str, Any]) -> None:
        super().__init__(412, "Somebody else saved this flow meanwhile; nothing was changed.")
        self.base, self.current = base, current

    def body(self) -> dict[str, Any]:
        return super().body() | {"base": self.base, "current": self.current}


# -- reading ------------------------------------------------------------------------------------------


def model(flow: Flow) -> Model | None:
    """What the newest text means."""
    return organisms(definition(store.newest(flow.bundle))).get(flow.name)


def text(flow: Flow, revision: Revision | None = None) -> str:
    """The text of the flow in a revision, the newest unless told."""
    return data_in(revision or store.newest(flow.bundle), flow.path).decode("utf-8", "replace")


def data_in(revision: Revision, path: str) -> bytes:
    entry = revision.files.get(path)
    return files.get(*entry) if entry else b""


def state(flow: Flow) -> str:
    """stopped, starting, running or error; stopped too while only a newer revision than the live one has it."""
    idle = flow.stopped or flow.bundle.status != Status.RUNNING
    return state_with(flow, None if idle else triggers.live_model(flow))


def state_with(flow: Flow, live: Model | None) -> str:
    """The same, when what runs of it is known."""
    bundle = flow.bundle
    if flow.stopped or bundle.status == Status.STOPPED:
        return str(Status.STOPPED)
    if bundle.status != Status.RUNNING:
        return str(bundle.status)
    if live is None:
        return str(Status.STOPPED)
    return str(Status.ERROR if live.has_errors else Status.RUNNING)


def status(flow: Flow) -> dict[str, Any]:
    bundle, now = flow.bundle, state(flow)
    return {
        "status": now,
        "revision": bundle.revision,
        "live_revision": bundle.live_revision,
        "note": bundle.status_note or note(flow, now),
    }


def note(flow: Flow, state: str) -> str:
    """What is to be said of a flow whose bundle runs with errors in this flow."""
    if state not in (Status.RUNNING, Status.ERROR):
        return ""
    live = next((one for one in triggers.revisions(flow.bundle)[1:] if one is not None), None)
    written = organisms(definition(live)).get(flow.name) if live is not None else None
    if written is None or not written.has_errors:
        return ""
    if state == Status.ERROR:
        return "Its text has errors, so it does not run."
    return "Its text has errors; what runs is the last text that had none."


# -- creating -----------------------------------------------------------------------------------------


def create(
    by: Author, *, name: str, text: str = "", bundle: Bundle | None = None, change: Change | None = None
) -> Flow:
    """A new flow, stopped; without a bundle it lives in the tenant's bundle `default`."""
    change = checked(change or Change())
    tenant = tenant_of(by.who)
    name = fit(name or named(text) or "flow")
    path = f"flows/{name}{suffix_of(text)}"
    data = encoded(text or BLANK.format(name=name))
    with transaction.atomic():
        locks.tenant(tenant.pk)
        bundle = bundle or Bundle.objects.filter(tenant=tenant, name=DEFAULT).first()
        if bundle is None:
            bundle = store.import_files(
                by, tenant, {"bundle.yaml": HEAD, path: data}, message=f"New flow {name}"
            ).bundle
        else:
            bundle.refresh_from_db()
            refuse_taken(bundle, name)
            store.edit_files(by, bundle, {path: data}, expected=bundle.revision, message=f"New flow {name}")
        flow = Flow.objects.select_related("bundle__tenant__plan").get(bundle=bundle, name=name)
        Flow.objects.filter(pk=flow.pk).update(stopped=True, **change.kept())
        by.record("flow.create", name, flow=str(flow.pk))
    return fresh(flow)


def refuse_taken(bundle: Bundle, name: str) -> None:
    if Flow.objects.filter(bundle=bundle, name__iexact=name).exists():
        raise ApiError(409, f"The bundle has a flow “{name}” already.")


def fresh(flow: Flow) -> Flow:
    return Flow.objects.select_related("bundle__tenant__plan").get(pk=flow.pk)


def fit(name: str) -> str:
    """The identity that a name becomes; 422 when nothing is left of it, or too much."""
    tidy = UNFIT.sub("-", name.strip()).strip("-_")
    if len(tidy) > MAX_NAME:
        raise ApiError(422, f"A flow's name has at most {MAX_NAME} letters, this one has {len(tidy):,}.")
    if not NAME.fullmatch(tidy):
        raise ApiError(422, "A flow's name begins with a letter; then letters, digits, - and _ follow.")
    return tidy


def named(text: str) -> str:
    """The name that a flow gives itself, when it can be read."""
    found = read(text)
    head = found.get("organism") or found.get("metadata")
    name = head.get("name") if isinstance(head, dict) else None
    return UNFIT.sub("-", name).strip("-_")[:MAX_NAME] if isinstance(name, str) else ""


def suffix_of(text: str) -> str:
    """A .pdflow is JSON; everything else is an organism, also one that is written as JSON."""
    as_json = text.lstrip("\ufeff \t\r\n").startswith("{")
    return ".pdflow" if as_json and not read(text).keys() & {"organism", "listeners"} else ".yaml"


def read(text: str) -> dict[str, Any]:
    """The text as a mapping; empty when it is none."""
    root = values.parse(text.encode("utf-8", "replace"), file="flow").root
    found = values.plain(root) if root is not None else None
    return found if isinstance(found, dict) else {}


def encoded(text: str) -> bytes:
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise ApiError(422, "The text holds a character that UTF-8 has not.") from None
    if len(data) > MAX_TEXT:
        raise ApiError(413, f"The text of a flow has at most {MAX_TEXT} bytes.")
    return data


def free_name(by: Author, wanted: str, bundle: Bundle | None = None) -> str:
    """``wanted``, or the first of wanted-2, wanted-3 … that the bundle (`default` unless told) does not have."""
    mine = Flow.objects.filter(bundle__tenant_id=by.who.tenant_id)
    mine = mine.filter(bundle=bundle) if bundle else mine.filter(bundle__name=DEFAULT)
    taken = {name.lower() for name in mine.values_list("name", flat=True)}
    name, count = fit(wanted[:90]), 1
    while (name if count == 1 else f"{name}-{count}").lower() in taken:
        count += 1
    return name if count == 1 else f"{name}-{count}"


def duplicate(by: Author, flow: Flow, name: str = "") -> Flow:
    """A copy beside it, stopped, with tokens of its own."""
    name = name or free_name(by, f"{flow.name[:90]}-copy", flow.bundle)
    change = Change(
        description=flow.description, folder=flow.folder, tags=list(flow.tags), canvas=dict(flow.canvas)
    )
    return create(by, name=name, text=text(flow), bundle=flow.bundle, change=change)


# -- changing -----------------------------------------------------------------------------------------


def save(by: Author, flow: Flow, change: Change, *, expected: int | None = None) -> Flow:
    """Text and name make a new revision of the bundle; the rest stands in the row and makes none."""
    change = checked(change)
    with transaction.atomic():
        locks.tenant(flow.bundle.tenant_id)
        flow = fresh(flow)
        if change.name is not None and fit(change.name) == flow.name:
            change = replace(change, name=None)
        if change.text is not None or change.name is not None or change.files:
            flow = write(by, flow, change, expected)
        if told := change.kept():
            Flow.objects.filter(pk=flow.pk).update(**told, updated=timezone.now())
    return fresh(flow)


def write(by: Author, flow: Flow, change: Change, expected: int | None) -> Flow:
    """A save that began from an older revision passes when nobody changed this very flow since."""
    if expected is None:
        raise ApiError(428, "Send If-Match with the revision, which the ETag of a GET tells.")
    newest = store.newest(flow.bundle)
    if expected != newest.number:
        refuse_stale(flow, newest, expected, change.files or {})
    data = data_in(newest, flow.path) if change.text is None else encoded(change.text)
    name = fit(change.name) if change.name is not None else flow.name
    path = flow.path if name == flow.name else f"flows/{name}{PurePosixPath(flow.path).suffix}"
    changed: dict[str, bytes | None] = {**(change.files or {}), path: data}
    if name != flow.name:
        rename(flow, name, path)
        changed[flow.path] = None
    message = change.message or f"Changed {path}"
    store.edit_files(by, flow.bundle, changed, expected=newest.number, message=message)
    return flow


def rename(flow: Flow, name: str, path: str) -> None:
    """The row and the history follow, so that it stays the same flow."""
    if Flow.objects.filter(bundle=flow.bundle, name__iexact=name).exclude(pk=flow.pk).exists():
        raise ApiError(409, f"The bundle has a flow “{name}” already.")
    old, fresh_target = f"flow:{flow.name}", f"flow:{name}"
    for target in runs_of(flow).values_list("target", flat=True).order_by().distinct():
        runs_of(flow).filter(target=target).update(target=fresh_target + target.removeprefix(old))
    Execution.objects.filter(bundle_id=flow.bundle_id, service=SERVICE, name=flow.name).update(name=name)
    Flow.objects.filter(pk=flow.pk).update(name=name, path=path)


def refuse_stale(flow: Flow, newest: Revision, expected: int, beside: Mapping[str, bytes]) -> None:
    base = flow.bundle.revisions.filter(number=expected).first()
    theirs = [path for path in beside if base is None or base.files.get(path) != newest.files.get(path)]
    if theirs:
        raise ApiError(409, f"Somebody else changed {theirs[0]} meanwhile; open it again.")
    if base is not None and base.files.get(flow.path) == newest.files.get(flow.path):
        return
    known = {"revision": expected, "organism_yaml": text(flow, base)} if base is not None else None
    author = {"author": newest.author, "message": newest.message}
    raise Stale(known, {"revision": newest.number, "organism_yaml": text(flow, newest)} | author)


def move(by: Author, flow: Flow, *, folder: str, tags: Sequence[str]) -> Flow:
    return save(by, flow, Change(folder=folder, tags=tags))


def star(who: Principal, flow: Flow, *, on: bool) -> None:
    """A person's own favourite; a key has none."""
    if who.user_id is None:
        raise ApiError(422, "Only a person has favourites.")
    with transaction.atomic():
        row = Flow.objects.select_for_update().get(pk=flow.pk)
        others = [user for user in row.starred_by if user != who.user_id]
        Flow.objects.filter(pk=row.pk).update(starred_by=[*others, who.user_id] if on else others)


def delete(by: Author, flow: Flow) -> None:
    """The file goes in a new revision; row, triggers, memory and waiting runs go with it."""
    with transaction.atomic():
        locks.tenant(flow.bundle.tenant_id)
        flow = fresh(flow)
        bundle, newest = flow.bundle, store.newest(flow.bundle)
        end_runs(flow)
        gone: dict[str, bytes | None] = dict.fromkeys(own_files(flow, newest))
        store.edit_files(by, bundle, gone, expected=newest.number, message=f"Deleted {flow.path}")
        by.record("flow.delete", flow.name, flow=str(flow.pk))
        touch(bundle.tenant_id)
        left = definition(store.newest(bundle))
        if bundle.status != Status.STOPPED and not (left.flows or left.services):
            deploy.ask_stop(by, bundle)


def own_files(flow: Flow, newest: Revision) -> set[str]:
    """Its file, and those that it alone is read from."""
    known = organisms(definition(newest))
    others = {path for name, one in known.items() if name != flow.name for path in one.sources}
    mine = set(known[flow.name].sources) if flow.name in known else set()
    return {flow.path} | {path for path in mine - others if path in newest.files and path != "bundle.yaml"}


def runs_of(flow: Flow) -> "QuerySet[Execution]":
    """Its runs, whoever called it."""
    target = f"flow:{flow.name}"
    mine = Execution.objects.filter(bundle_id=flow.bundle_id)
    return mine.filter(Q(target=target) | Q(target__startswith=f"{target}:"))


def end_runs(flow: Flow) -> None:
    """What waits is over, what runs is asked to end."""
    over = {"status": "cancelled", "completed": timezone.now(), "error": "its flow was deleted"}
    runs_of(flow).filter(status__in=("queued", "waiting")).update(**over)
    runs_of(flow).filter(status="running").update(cancel_asked=True)


# -- running ------------------------------------------------------------------------------------------


def errors_of(model: Model) -> list[dict[str, Any]]:
    return [asdict(one) for one in model.problems if one.severity == "error"]


def start(by: Author, flow: Flow) -> Flow:
    """Serve the newest text; 422 with its problems while there are errors among them."""
    found = model(flow)
    errors = errors_of(found) if found else []
    if errors:
        raise ApiError(422, "The flow has errors; mend them first.", errors=errors)
    with transaction.atomic():
        tenant = locks.tenant(flow.bundle.tenant_id)
        flow = fresh(flow)
        limits.check_spare(tenant, flow)
        Flow.objects.filter(pk=flow.pk).update(stopped=False)
        by.record("flow.start", flow.name, flow=str(flow.pk))
        bundle = flow.bundle
        if bundle.status == Status.RUNNING and bundle.live_revision == bundle.revision:
            touch(bundle.tenant_id)
        else:
            starting.run(by, bundle, flow=flow.name)
        flow = fresh(flow)
        triggers.of_flow(flow, timezone.now())
    return flow


def stop(by: Author, flow: Flow) -> Flow:
    """It answers nobody any more; runs that have begun go on."""
    with transaction.atomic():
        locks.tenant(flow.bundle.tenant_id)
        if Flow.objects.filter(pk=flow.pk, stopped=False).update(stopped=True):
            by.record("flow.stop", flow.name, flow=str(flow.pk))
            touch(flow.bundle.tenant_id)
        flow = fresh(flow)
        triggers.of_flow(flow, timezone.now())
    return flow
