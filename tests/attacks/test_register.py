"""Which attack has its test where: no number without one, and no way out of the house without the attacks on it.

Most tests say their numbers themselves; those that were there before the numbers stand in ELSEWHERE.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
NAMED = re.compile(r"\bA(\d{3})(?:[–-]A?(\d{3}))?")
# 142: no payments yet. From 148: agents of others, billing and
# the marketplace, as far as they are not built.
NOT_BUILT = {142, 148, 149, *range(151, 160), 164, 165, *range(169, 178), 179, 180}
ELSEWHERE = {
    48: "tests/bundles/test_contract.py::test_an_unknown_field_or_value_is_an_error_with_its_line",
    49: "tests/bundles/test_duration.py::test_anything_else_is_refused_with_the_grammar",
    56: "tests/bundles/test_service.py::test_routes_of_the_platform_are_reserved",
    69: "tests/priostack/test_up_runs.py::test_a_killed_part_comes_back",
    76: "tests/priostack/test_matrix.py::test_no_tenant_can_have_the_name_of_a_page",
    77: "tests/billing/test_accounts.py::test_a_name_that_cannot_be_makes_neither_user_nor_tenant",
    82: "tests/billing/test_accounts.py::test_unknown_and_known_addresses_get_the_same_answer",
    100: "tests/runtime/test_consumers.py::test_large_frames_and_floods_end_the_socket",
    112: "tests/priostack/test_docs.py::test_html_in_markdown_stays_text",
    113: "tests/priostack/test_templates.py::test_a_message_is_escaped_in_its_toast",
    115: "tests/bundles/test_formcolours.py::test_everything_else_is_none",
    116: "tests/attacks/test_browser.py::test_files_of_a_bundle_are_never_run_by_a_browser",
    117: "tests/billing/test_wallet_pages.py::test_the_csv_has_every_entry_and_no_formulas",
    120: "tests/priostack/test_log.py::test_line_breaks_cannot_forge_an_entry",
    121: "tests/canvas/test_core.py",
}
OUT = {*range(1, 7), *range(9, 12), 13}  # what is refused before anything is sent, at every door
# Who asks the guard: each is a door of its own, with tests that go through it. A new one needs a row.
DOORS = {
    "runtime/flowhttp.py": (OUT | {7, 8, 12, 14, 15}, ["test_outgoing.py"]),
    "runtime/outbound.py": (OUT | {7, 8, 12, 14, 15}, ["test_outgoing.py"]),
    "runtime/llmsend.py": (
        OUT | {7, 8, 14, 15, 128},
        ["test_outgoing.py", "test_llm.py", "test_prompt_calls.py"],
    ),
    "bundles/git.py": (OUT | {7, 8, *range(17, 29)}, ["test_repositories.py", "test_uploads.py"]),
    "bundles/gitrun.py": (OUT | {7, 8, *range(17, 29)}, ["test_repositories.py", "test_uploads.py"]),
}


def numbers(*paths: Path) -> set[int]:
    found: set[int] = set()
    for path in paths:
        for first, last in NAMED.findall(path.read_text()):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_attack_has_a_test() -> None:
    others = [path for path in TESTS.rglob("*.py") if path.name != Path(__file__).name]
    assert set(range(1, 181)) - NOT_BUILT - numbers(*others) - set(ELSEWHERE) == set()


@pytest.mark.parametrize("number", ELSEWHERE)
def test_what_is_said_to_be_elsewhere_is_there(number: int) -> None:
    path, _, name = ELSEWHERE[number].partition("::")
    text = (ROOT / path).read_text()
    assert not name or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_every_way_out_is_a_door_of_the_register() -> None:
    ways = re.compile(
        r"from billing\.(egress|destination) import|from billing import .*\b(egress|destination)\b"
    )
    files = [
        path
        for floor in ("bundles", "market", "runtime", "priostack")
        for path in (ROOT / floor).rglob("*.py")
    ]
    assert {str(path.relative_to(ROOT)) for path in files if ways.search(path.read_text())} == set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_is_tried_by_every_attack_on_the_way_out(door: str) -> None:
    wanted, names = DOORS[door]
    assert wanted - numbers(*(TESTS / "attacks" / name for name in names)) == set()
