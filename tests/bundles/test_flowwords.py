"""Whatever the loader of flows reads can be completed in the text and filled in by a form."""

import pytest

from bundles import flowlisteners, flowtriggers
from bundles.fields import Table
from bundles.flowfields import KEPT
from bundles.flowkinds import KINDS, catalogue
from bundles.flowwords import words

# Other spellings of what a form has, and what makes the kind of a node instead of describing it.
NOT_IN_FORMS = {"agent", "is_agent", "timeout_seconds", "tools", "wasm", "with"}


def keys(*, triggers: bool) -> set[str]:
    kinds = [kind for kind in catalogue() if (kind["kind"] == "trigger") == triggers]
    return {field["key"] for kind in kinds for field in (*kind["fields"], *kind["common"])} | {"handler"}


@pytest.mark.parametrize(
    ("table", "triggers"), [(flowtriggers.TRIGGER_FIELDS, True), (flowlisteners.LISTENER_FIELDS, False)]
)
def test_every_field_of_the_loader_is_in_a_form(table: Table, triggers: bool) -> None:
    read = {name for name, field in table.items() if field.meaning != KEPT}
    assert read - keys(triggers=triggers) - NOT_IN_FORMS == set()


def test_every_field_of_a_form_is_read_and_completed() -> None:
    known = words()
    assert keys(triggers=True) - {"handler"} <= set(known["triggers"])
    assert {key.removeprefix("with.") for key in keys(triggers=False)} <= set(known["listeners"])
    assert all(name in known["listeners"] for kind in KINDS for name in kind.options)


def test_each_section_has_its_own_keys() -> None:
    known = words()
    assert set(known[""]) >= {"organism", "triggers", "listeners", "llm", "memory", "max_hops"}
    assert "rateLimit" in known["triggers"]
    assert "rateLimit" not in known["listeners"]
    assert "payload_class" not in known["listeners"]
    assert {"strategy", "backends", "base_url"} <= set(known["llm"])
    assert "version" in known["organism"]
