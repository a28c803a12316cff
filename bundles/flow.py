"""A flow: organism.yaml with our additions, or a .pdflow, read into one model. Never raises on bad content."""

from collections.abc import Mapping as Map

from bundles import organism, pdflow
from bundles.flowedges import edges
from bundles.flowmodel import Edge, Flow, Handler, Listener, Trigger

__all__ = ["Edge", "Flow", "Handler", "Listener", "Trigger", "edges", "load"]


def load(name: str, file: str, files: Map[str, bytes]) -> Flow:
    """The flow in `file`, one of these files of a bundle; `name` is its identity there."""
    read = pdflow.load if file.endswith(".pdflow") else organism.load
    return read(name, file, files)
