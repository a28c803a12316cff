"""The tables of the bundles floor."""

from bundles.models.binary import Binary, Module
from bundles.models.bundle import Bundle, Revision, Status

__all__ = ["Binary", "Bundle", "Module", "Revision", "Status"]
