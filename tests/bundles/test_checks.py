"""Declared tests: what is read, and what is wrong with the others."""

from bundles import checks
from bundles.checks import UNSET

GOOD = b"""
- name: lists items
  request: {method: get, path: /api/v1/shop/items, query: {q: tea, page: 2}}
  expect: {status: 200, body: {items: []}}
- name: adds
  request:
    method: POST
    path: /api/v1/shop/items
    headers: {X-Test: "1"}
    body: {sku: a}
  contract: refuse
  expect: {status: 503}
- name: closing tidies
  sensor: closing
  payload: {at: night}
  expect: {status: 200, writes: {"items:1": null}}
"""


def read(data: bytes) -> checks.Checks:
    return checks.read({"tests/shop.yaml": data, "other/shop.yaml": b"- name: not a test"})


def test_requests_and_sensors_are_read() -> None:
    found = read(GOOD)
    assert found.problems == ()
    lists, adds, closing = found.checks
    assert lists.request is not None
    assert (lists.request.method, lists.request.query) == ("GET", (("q", "tea"), ("page", "2")))
    assert lists.request.body is UNSET
    assert (lists.line, lists.expect.status, lists.expect.body) == (2, 200, {"items": []})
    assert adds.request is not None
    assert (adds.request.body, adds.request.headers) == ({"sku": "a"}, (("X-Test", "1"),))
    assert (adds.contract, adds.expect.body) == ("refuse", UNSET)
    assert (closing.sensor, closing.payload, closing.expect.writes) == (
        "closing",
        {"at": "night"},
        {"items:1": None},
    )


def test_a_file_may_be_a_mapping_with_tests() -> None:
    assert len(read(b"tests:\n  - {name: a, sensor: s, expect: {}}\n").checks) == 1


def test_a_null_body_is_not_an_absent_one() -> None:
    (check,) = read(b"- {name: a, request: {path: /x, method: PUT, body: null}, expect: {body: null}}").checks
    assert check.request is not None
    assert check.request.body is None
    assert check.expect.body is None


def test_problems_are_warnings_with_their_lines() -> None:
    found = read(
        b"- name: neither\n  expect: {}\n- name: typo\n  sensr: x\n  request: {path: x}\n  expect: {}\n"
    )
    assert found.checks == ()
    assert {problem.severity for problem in found.problems} == {"warning"}
    assert [problem.line for problem in found.problems] == [1, 4, 5]


def test_two_tests_of_one_name_are_told() -> None:
    found = read(b"- {name: a, sensor: s, expect: {}}\n- {name: a, sensor: s, expect: {}}\n")
    assert len(found.checks) == 1
    assert found.problems[0].line == 2


def test_hostile_files_only_give_problems() -> None:
    for data in (
        b"\xff\xfe",
        b"[" * 2000,
        b"- !!python/object:os.system x",
        b"a: &a [*a]",
        b"- 1\n- null\n- []",
    ):
        found = read(data)
        assert found.checks == ()
        assert found.problems
