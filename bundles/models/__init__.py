"""The tables of the bundles floor."""

from bundles.models.binary import Binary, Module
from bundles.models.bundle import Bundle, Revision, Status
from bundles.models.flow import Flow

__all__ = ["Binary", "Bundle", "Flow", "Module", "Revision", "Status"]
