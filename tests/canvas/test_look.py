"""What of a flow is seen first: its own tests, by node."""

from pathlib import Path

from tests.canvas.test_core import pytestmark as pytestmark
from tests.canvas.test_core import run_tests


def test_the_first_view_shows_nodes_that_can_be_read(tmp_path: Path) -> None:
    run_tests("look.test", tmp_path)


def test_groups_stand_around_their_members(tmp_path: Path) -> None:
    run_tests("groups.test", tmp_path)
