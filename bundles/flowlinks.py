"""Checks what the parts of a flow say about each other: names that must exist, loops without a way back."""

from bundles.flowfields import Reader, Reference
from bundles.flowmodel import Listener, Trigger
from bundles.values import Place, shown

SYSTEM = "system."  # listeners that xml-pipeline brings along


def check(
    listeners: tuple[Listener, ...], triggers: tuple[Trigger, ...], reader: Reader, *, gateways: set[str]
) -> None:
    """Every name that is mentioned."""
    names = {listener.name.lower(): listener.name for listener in listeners}
    groups = {name.rpartition(".")[0] for name in names if "." in name}
    for reference in reader.references:
        _reference(reference, names, gateways | groups, reader)
    for trigger in triggers:
        _trigger(trigger, names, reader)


def _reference(reference: Reference, names: dict[str, str], others: set[str], reader: Reader) -> None:
    name = reference.name.lower()
    if name in names or (not reference.strict and (name in others or name.startswith(SYSTEM))):
        return
    meant = reader.report.meant(reference.name, names.values())
    message = f"{reference.what} names {shown(reference.name)}, but there is no such listener{meant}"
    complain = reader.report.error if reference.strict else reader.report.warning
    complain(reference.place, message)


def _trigger(trigger: Trigger, names: dict[str, str], reader: Reader) -> None:
    place = Place(trigger.file, trigger.line, trigger.column)
    if trigger.name.lower() in names:
        message = f"{shown(trigger.name)} is a trigger and a listener"
        reader.report.warning(place, message, "give them different names, to tell them apart on the canvas")
    if not names:
        reader.report.error(place, "this trigger starts nothing: the flow has no listeners")


def check_without_memory(listeners: tuple[Listener, ...], reader: Reader) -> None:
    """A flow that has no memory may not use it."""
    using = [one for one in listeners if one.handler.kind == "builtin" and one.handler.builtin == "memory"]
    if using:
        place = Place(using[0].file, using[0].line, using[0].column)
        message = f"{shown(using[0].name)} uses the flow's memory, but the flow has none"
        reader.report.error(place, message, "write memory: 64KiB at the top of the file")
