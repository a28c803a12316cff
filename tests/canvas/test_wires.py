"""Where wires run on the canvas: its own tests, by node."""

from pathlib import Path

from tests.canvas.test_core import pytestmark as pytestmark
from tests.canvas.test_core import run_tests


def test_wires_keep_clear_of_nodes(tmp_path: Path) -> None:
    run_tests("wires.test", tmp_path)
