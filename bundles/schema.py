"""Every field that the YAML of a bundle may have, by its block: a test holds the documentation against it."""

from collections.abc import Mapping

from bundles.bundle import BUNDLE_FIELDS, HTTP_FIELDS
from bundles.contract import CONTRACT_FIELDS
from bundles.discovery import LISTED_FIELDS
from bundles.endpoints import API_FIELDS, ENDPOINT_FIELDS
from bundles.fields import Table
from bundles.flowlisteners import LISTENER_FIELDS
from bundles.flowllm import BACKEND_FIELDS, LLM_FIELDS
from bundles.flowtriggers import TRIGGER_FIELDS
from bundles.form import FORM_FIELDS, GROUP_FIELDS, HINT_FIELDS, PAGE_FIELDS, THEME_FIELDS
from bundles.gather import ENTRY_FIELDS
from bundles.goals import GOAL_FIELDS, METRIC_FIELDS
from bundles.intents import INTENT_FIELDS
from bundles.organism import HEAD_FIELDS, ORGANISM_FIELDS
from bundles.organismfiles import DIRECTORY_FIELDS
from bundles.prompt import HEAD_FIELDS as PROMPT_FIELDS
from bundles.promptparams import PARAMETER_FIELDS
from bundles.promptstreaming import STREAM_FIELDS
from bundles.prompttest import ASSERT_FIELDS, TEST_FIELDS, TEST_FILE_FIELDS
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
# Of a flow file, by the heading of its table in the documentation.
FLOW_TABLES: Mapping[str, Table] = {
    "The file": ORGANISM_FIELDS,
    "organism": HEAD_FIELDS,
    "A trigger": TRIGGER_FIELDS,
    "A listener": LISTENER_FIELDS,
    "llm": LLM_FIELDS,
    "A backend": BACKEND_FIELDS,
    "Listeners in files of their own": DIRECTORY_FIELDS,
}
# Of a prompt, likewise.
PROMPT_TABLES: Mapping[str, Table] = {
    "The front matter": PROMPT_FIELDS,
    "A parameter": PARAMETER_FIELDS,
    "Streaming": STREAM_FIELDS,
    "The form": FORM_FIELDS,
    "The theme": THEME_FIELDS,
    "Pages after sending": PAGE_FIELDS,
    "A group": GROUP_FIELDS,
    "A field": HINT_FIELDS,
    "A test file": TEST_FILE_FIELDS,
    "A test of a prompt": TEST_FIELDS,
    "An assertion": ASSERT_FIELDS,
}
