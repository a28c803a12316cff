"""The keys that a flow file may have, section by section, from the tables that the loader reads by: for completion."""

from bundles import flowkinds, flowlisteners, flowllm, flowtriggers, organism
from bundles.fields import Table
from bundles.flowfields import KEPT


def words() -> dict[str, dict[str, str]]:
    """What each key means, by the key at the left margin that it stands under; "" for those at the margin."""
    models = told(flowllm.LLM_FIELDS) | told(flowllm.BACKEND_FIELDS)
    return {
        "": told(organism.ORGANISM_FIELDS),
        "organism": told(organism.HEAD_FIELDS),
        "triggers": told(flowtriggers.TRIGGER_FIELDS),
        "listeners": options() | told(flowlisteners.LISTENER_FIELDS),
        "llm": models,
        "llm_backends": models,
    }


def told(table: Table) -> dict[str, str]:
    """Without what only other engines understand."""
    return {name: field.meaning for name, field in table.items() if field.meaning != KEPT}


def options() -> dict[str, str]:
    return {name: key.label for kind in flowkinds.KINDS for name, key in kind.options.items()}
