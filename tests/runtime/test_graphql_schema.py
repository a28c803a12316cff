"""The schema of a tenant's GraphQL: names, types, defaults, and prompts that were not made for it."""

import subprocess
import sys
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLNonNull,
    execute,
    get_introspection_query,
    parse,
    print_schema,
    validate,
    validate_schema,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles.promptparams import ALIASES, TYPES, Parameter
from runtime.graphql import schema as schemas
from runtime.graphql.names import Names, name_of, type_name
from runtime.graphql.schema import Flowing, Prompted
from tests.bundles.promptsamples import load, prmd


def args(head: str) -> Any:
    prompt = load(prmd("x", f"parameters:\n{head}"))
    assert not prompt.has_errors
    made = schemas.build([Prompted("x", "", prompt.parameters)], [])
    assert validate_schema(made) == []
    assert made.mutation_type is not None
    return made.mutation_type.fields["x"].args


@pytest.mark.parametrize(
    ("text", "type", "default"),
    [
        ("{name: a}", "String", None),
        ("{name: a, required: true}", "String!", None),
        ("{name: a, required: true, default: x}", "String", "x"),
        ("{name: a, type: integer, min: 1, max: 5, default: 2}", "Int", 2),
        ("{name: a, type: integer, max: 9000000000}", "Long", None),
        ("{name: a, type: number, default: 1.5}", "Float", 1.5),
        ("{name: a, type: boolean, default: false}", "Boolean", False),
        ("{name: a, type: array, items: string, default: [x, y]}", "[String!]", ["x", "y"]),
        ("{name: a, type: array, items: {type: array, items: integer}}", "[[Int!]!]", None),
        ("{name: a, type: array}", "JSON", None),
        ("{name: a, type: array, enum: [x, y], default: [y]}", "[XA!]", ["y"]),
        ("{name: a, type: object, properties: {b: string}}", "JSON", None),
        ("{name: a, type: json, required: true}", "JSON", None),
        ("{name: a, type: base64, required: true}", "String!", None),
        ("{name: a, enum: [low, medium], default: medium}", "XA", "medium"),
        ("{name: a, enum: [low, medium], required: true}", "XA!", None),
        ("{name: a, enum: [low, 'very high'], default: low}", "String", "low"),
        ("{name: a, enum: ['true', low]}", "String", None),
        ("{name: a, enum: [low], default: high}", "XA", None),  # it would not fit: left to the check
        ("{name: a, type: integer, default: many}", "Int", None),
        ("{name: a, type: number, enum: [1, 2], default: 2}", "Float", 2),
    ],
)
def test_a_parameter_becomes_an_argument(text: str, type: str, default: Any) -> None:
    found = args(f"  - {text}\n")["a"]
    assert str(found.type) == type
    assert (found.default_value if default is not None else None) == default
    if default is None:
        assert not isinstance(found.default_value, str | int | list)


def test_the_values_of_an_enum_are_those_of_the_parameter() -> None:
    kind = args("  - {name: a, enum: [low, medium, low]}\n")["a"].type
    assert isinstance(kind, GraphQLEnumType)
    assert list(kind.values) == ["low", "medium"]


def test_what_no_type_says_stands_in_the_description() -> None:
    found = args("  - {name: a, description: A word, minLength: 2, maxLength: 5, pattern: '^a'}\n")
    assert found["a"].description == "A word; characters at least 2; characters at most 5; pattern ^a"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("order-summary", "order_summary"),
        ("9lives", "_9lives"),
        ("__x", "x__x"),
        ("ä", "_"),
        ("--", "x__"),
        ("", "_"),
    ],
)
def test_every_name_can_be_one_of_graphql(text: str, name: str) -> None:
    assert name_of(text) == name


def test_the_second_of_a_name_gets_a_number() -> None:
    names = Names("Query")
    assert [names.take(one) for one in ("a", "a", "Query", "a")] == ["a", "a_2", "Query_2", "a_3"]
    assert type_name("order_summary", "size") == "OrderSummarySize"


def test_a_prompt_and_a_flow_of_one_name_stand_beside_each_other() -> None:
    prompts = [Prompted("flow-a", "", ()), Prompted("a", "", ()), Prompted("tenant", "", ())]
    made = schemas.build(prompts, [Flowing("1", "a", ""), Flowing("2", "a", "")])
    assert validate_schema(made) == []
    assert set(made.mutation_type.fields) == {"flow_a", "a", "tenant", "flow_a_2", "flow_a_3"}  # type: ignore[union-attr]
    assert set(made.query_type.fields) == {"flow_a", "a", "tenant", "tenant_2"}  # type: ignore[union-attr]


def test_nothing_at_all_is_a_schema_too() -> None:
    made = schemas.build([], [])
    assert validate_schema(made) == []
    assert made.mutation_type is None


def test_too_much_for_one_schema_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "MOST_ARGUMENTS", 3)
    prompts = [Prompted(f"p{at}", "", (Parameter("a"), Parameter("b"))) for at in range(3)]
    assert set(schemas.build(prompts, []).query_type.fields) == {"p0", "tenant"}  # type: ignore[union-attr]


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
anything = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            Parameter,
            name=st.text(min_size=1, max_size=9),
            type=st.sampled_from(TYPES),
            required=st.booleans(),
            default=anything,
            has_default=st.booleans(),
            description=st.text(max_size=9),
            enum=st.lists(values, max_size=3).map(tuple),
            minimum=st.none() | st.floats(),
            items=st.none() | st.builds(Parameter, name=st.just("items"), type=st.sampled_from(TYPES)),
        ),
        max_size=5,
    ),
    st.text(max_size=9),
)
def test_whatever_a_prompt_is_its_schema_is_valid(parameters: list[Parameter], text: str) -> None:
    assert set(ALIASES.values()) <= set(TYPES)
    made = schemas.build([Prompted("x", text, tuple(parameters))], [Flowing("1", text, text)])
    assert validate_schema(made) == []
    assert print_schema(made)
    found = execute(made, parse(get_introspection_query()))
    assert not found.errors  # type: ignore[union-attr]


@pytest.mark.parametrize("literal", ["1e999", "{a: [-1e999]}", "9" * 5000])
def test_json_has_only_numbers_that_can_be_written(literal: str) -> None:
    made = schemas.build([Prompted("x", "", (Parameter("j", type="json"),))], [])
    assert validate(made, parse(f"{{x(j: {literal}) {{output}}}}"))
    assert not validate(made, parse('{x(j: {a: [1, 2.5, null, "b", true]}) {output}}'))


def test_only_json_may_be_non_null_in_a_list_by_itself() -> None:
    found = args("  - {name: a, type: array, items: {type: string}}\n")["a"].type
    assert isinstance(found.of_type, GraphQLNonNull)


def test_a_process_that_nobody_asks_has_not_loaded_it() -> None:
    text = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'priostack.settings'; django.setup();"
        "import runtime.gateway, runtime.graphql.door, priostack.asgi; print('graphql' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
