"""Every field that the YAML of a bundle may have, by its block: a test holds the documentation against it."""

from collections.abc import Mapping

from bundles.bundle import BUNDLE_FIELDS, HTTP_FIELDS
from bundles.contract import CONTRACT_FIELDS
from bundles.discovery import LISTED_FIELDS
from bundles.endpoints import API_FIELDS, ENDPOINT_FIELDS
from bundles.fields import Table
from bundles.gather import ENTRY_FIELDS
from bundles.goals import GOAL_FIELDS, METRIC_FIELDS
from bundles.intents import INTENT_FIELDS
from bundles.service import SERVICE_FIELDS

TABLES: Mapping[str, Table] = {
    "bundle.yaml": BUNDLE_FIELDS,
    "services[]": ENTRY_FIELDS,
    "wasm[], flows[], prompts[]": LISTED_FIELDS,
    "http": HTTP_FIELDS,
    "service": SERVICE_FIELDS,
    "goals[]": GOAL_FIELDS,
    "metrics[]": METRIC_FIELDS,
    "intents[]": INTENT_FIELDS,
    "api": API_FIELDS,
    "endpoints[]": ENDPOINT_FIELDS,
    "resourceContract": CONTRACT_FIELDS,
}
