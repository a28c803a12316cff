"""The OpenAPI document of what a tenant runs: complete, exact, and valid for a validator that is not ours."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import schemathesis

from bundles import bundle, openapi
from bundles.endpoints import Endpoint
from bundles.openapischema import tidy
from bundles.promptparams import Parameter
from bundles.routes import routes_of
from tests.bundles import promptsamples

BUNDLE = b"""
name: shop
services:
  - name: catalog
    description: What is sold
    api:
      basePath: /api/v1
      interceptors: [{rateLimit: {maxRequests: 5}}]
      endpoints:
        - {name: list, method: GET, path: /products, to: "wasm:echo:run", auth: public, description: All of them}
        - {name: one, method: GET, path: "/products/:id", to: "wasm:echo:run"}
        - {name: put, method: PUT, path: "/products/:key", to: "wasm:echo:run"}
        - name: teapot
          method: POST
          path: /tea
          to: "wasm:echo:run"
          interceptors: [{filter: {when: "1 > 2", status: 418}}]
        - {name: sum, method: POST, path: "/sums/:text", to: "prompt:sum"}
        - {name: ask, method: GET, path: "/ask", to: "prompt:sum"}
"""
HEAD = """parameters:
  - {name: text, type: string, required: true, minLength: 1, description: What is read, pattern: "(?i)^a"}
  - {name: severity, enum: [low, medium], default: medium}
  - {name: size, type: integer, min: 1, max: 9, example: 3}
  - {name: tags, type: array, items: {type: string, pattern: "^[a-z]+$"}}
  - {name: ratio, type: number, max: .inf}
"""


@dataclass(frozen=True)
class Shown:
    id: str
    name: str
    description: str
    parameters: tuple[Parameter, ...]
    endpoint: Endpoint


def made(text: bytes = BUNDLE, head: str = HEAD, *, public: bool = False) -> dict[str, Any]:
    definition = bundle.load({"bundle.yaml": text})
    routes = [route for service in definition.services for route in routes_of(service)]
    prompt = promptsamples.load(
        promptsamples.prmd("x", head, "id: sum\nname: Sum\nversion: 1.0.0\ndescription: Adds\n")
    )
    keyed = next(route.endpoint for route in routes if route.endpoint.auth == "key")
    shown = Shown(prompt.id, prompt.name, prompt.description, prompt.parameters, keyed)
    return openapi.document("alice", "https://x.example/alice", routes=routes, prompts=[shown], public=public)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return made()


def test_it_is_valid_for_a_validator_and_can_be_written(found: dict[str, Any]) -> None:
    written = orjson.loads(orjson.dumps(found))
    schema = schemathesis.openapi.from_dict(written)
    schema.validate()
    assert sum(1 for one in schema.get_all_operations() if one.ok()) == 9


def test_every_endpoint_is_there_with_what_its_path_needs(found: dict[str, Any]) -> None:
    assert set(found["paths"]) == {
        "/api/v1/products", "/api/v1/products/{id}", "/api/v1/tea", "/api/v1/sums/{text}", "/api/v1/ask",
        "/prompts/sum", "/prompts/sum/stream",
    }  # fmt: skip
    one = found["paths"]["/api/v1/products/{id}"]
    assert set(one) == {"get", "put"}  # :id and :key are one path, under the name of the first
    assert [p["name"] for p in one["put"]["parameters"] if "name" in p] == ["id"]
    assert found["paths"]["/api/v1/products"]["get"]["description"] == "All of them"


def test_who_may_call_is_said_for_each(found: dict[str, Any]) -> None:
    assert found["paths"]["/api/v1/products"]["get"]["security"] == []
    assert found["paths"]["/api/v1/products/{id}"]["get"]["security"] == [{"key": []}]


def test_interceptors_add_their_refusals(found: dict[str, Any]) -> None:
    tea = found["paths"]["/api/v1/tea"]["post"]["responses"]
    assert "418" in tea
    assert tea["429"] == {"$ref": "#/components/responses/TooManyRequests"}


def test_a_prompt_says_what_it_is_given(found: dict[str, Any]) -> None:
    post = found["paths"]["/prompts/sum"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert post["description"] == "Adds"
    assert schema["required"] == ["text"]
    assert schema["properties"]["severity"] == {
        "type": "string",
        "enum": ["low", "medium"],
        "default": "medium",
    }
    assert schema["properties"]["size"] == {"type": "integer", "minimum": 1, "maximum": 9, "examples": [3]}
    assert schema["properties"]["tags"]["items"]["pattern"] == "^[a-z]+$"
    assert "pattern" not in schema["properties"]["text"]  # flags are read otherwise elsewhere
    assert schema["properties"]["ratio"] == {"type": "number"}
    assert {"$ref": "#/components/parameters/Dry"} in post["parameters"]
    assert "422" in post["responses"]


def test_an_endpoint_of_a_prompt_asks_for_what_its_path_does_not_give(found: dict[str, Any]) -> None:
    post = found["paths"]["/api/v1/sums/{text}"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert "text" not in schema["properties"]
    asked = found["paths"]["/api/v1/ask"]["get"]["parameters"]
    assert {p["name"]: p["required"] for p in asked if p.get("in") == "query"}["text"] is True


def test_operations_have_names_of_their_own() -> None:
    twice = BUNDLE.replace(b"path: /tea", b"path: /tea2").replace(b"basePath: /api/v1", b"basePath: /api/v2")
    services = [
        service for text in (BUNDLE, twice) for service in bundle.load({"bundle.yaml": text}).services
    ]
    routes = [route for service in services for route in routes_of(service)]
    paths = openapi.document("alice", "https://x.example/alice", routes=routes, prompts=[])["paths"]
    names = [one["operationId"] for path in paths.values() for one in path.values()]
    assert len(names) == len(set(names)) == 12


def test_strangers_are_shown_what_is_public_alone() -> None:
    assert list(made(public=True)["paths"]) == ["/api/v1/products"]
    assert "/prompts/sum" not in str(made(public=True))


@pytest.mark.parametrize("pattern", ["(", "(?P<a>x)", r"\pL", r"\Qx\E", r"\Ax\z", "[[:alpha:]]"])
def test_patterns_that_others_read_otherwise_are_left_out(pattern: str) -> None:
    assert tidy({"type": "string", "pattern": pattern}) == {"type": "string"}


def test_a_pattern_that_everybody_reads_alike_stays() -> None:
    assert tidy({"pattern": r"^(?:a|b)\d+$"}) == {"pattern": r"^(?:a|b)\d+$"}


def test_what_json_cannot_write_is_left_out() -> None:
    assert tidy({"default": [float("inf")], "enum": [float("nan")], "minimum": float("-inf")}) == {}


def test_a_stream_is_asked_by_a_body_or_a_query(found: dict[str, Any]) -> None:
    path = found["paths"]["/prompts/sum/stream"]
    assert path["post"]["requestBody"] == found["paths"]["/prompts/sum"]["post"]["requestBody"]
    asked = {one["name"]: one for one in path["get"]["parameters"] if "name" in one}
    assert asked["text"]["required"] is True
    assert asked["tags"]["content"]["application/json"]["schema"]["type"] == "array"
    shared = [one["$ref"].rpartition("/")[2] for one in path["get"]["parameters"] if "$ref" in one]
    assert shared == ["chunkInterval", "chunkSize", "heartbeat", "LastEventId"]
    assert "406" in path["get"]["responses"]
