"""The tables of fields are complete and say what they mean."""

import pytest

from bundles import fields
from bundles.schema import FLOW_TABLES, TABLES

ALL = {**TABLES, **FLOW_TABLES}


@pytest.mark.parametrize("block", ALL)
def test_every_field_says_what_it_means(block: str) -> None:
    for name, field in ALL[block].items():
        assert name == field.name
        assert field.type in fields.CONVERTERS
        assert len(field.meaning) > 5
        assert bool(field.choices) == (field.type == "choice")
