"""The graph core of the canvas: its own tests run by node, and the same nodes and wires as the loader sees."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bundles import flow

ROOT = Path(__file__).resolve().parent.parent.parent
ROLLDOWN = ROOT / "node_modules" / ".bin" / "rolldown"
HERE = Path(__file__).resolve().parent
TIMEOUT = 240

pytestmark = pytest.mark.skipif(
    not ROLLDOWN.exists() or shutil.which("node") is None,
    reason="THE GRAPH CORE IS NOT TESTED: node or node_modules is missing (npm ci)",
)


def bundled(name: str, folder: Path) -> Path:
    """The TypeScript as one module that any node runs."""
    made = folder / f"{name}.mjs"
    argv = [str(ROLLDOWN), str(HERE / f"{name}.ts"), "--format", "esm", "--platform", "node", "-o", str(made)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def run_tests(name: str, folder: Path, **more: str) -> None:
    made = bundled(name, folder)
    done = subprocess.run(
        ["node", "--test", str(made)],
        env=os.environ | more,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]


def test_operations_change_what_they_mean_and_nothing_else(tmp_path: Path) -> None:
    run_tests("core.test", tmp_path)


def test_unquoted_texts_are_read_as_the_server_reads_them(tmp_path: Path) -> None:
    run_tests("scalars.test", tmp_path, SCALARS=str(HERE / "scalars.json"))


def test_random_edits_of_random_flows_keep_the_rest_and_can_be_undone(tmp_path: Path) -> None:
    """All 500 × 200 with CANVAS_FLOWS=500 CANVAS_EDITS=200; a part of them otherwise."""
    flows, edits = os.environ.get("CANVAS_FLOWS", "60"), os.environ.get("CANVAS_EDITS", "40")
    run_tests("property.test", tmp_path, FLOWS=flows, EDITS=edits)


@pytest.mark.parametrize("kind", ["organism", "pdflow"])
def test_every_document_of_the_corpus_is_drawn_and_kept(kind: str, corpus: Path, tmp_path: Path) -> None:
    run_tests("corpus.test", tmp_path, CORPUS=str(corpus / kind))


def seen_by_the_core(files: list[Path], folder: Path) -> dict[str, dict[str, list[list[str]]]]:
    argv = ["node", str(bundled("mirror", folder)), *map(str, files)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    found: dict[str, dict[str, list[list[str]]]] = json.loads(done.stdout)
    return found


def kind_of(listener: flow.Listener) -> str:
    handler = listener.handler
    return "code" if handler.kind == "wasm" else handler.builtin or handler.kind


def assert_alike(file: Path, seen: dict[str, list[list[str]]]) -> None:
    path = f"flows/{file.name}"
    loaded = flow.load(file.stem, path, {path: file.read_bytes()})
    if any(problem.message.startswith("not an organism") for problem in loaded.problems):
        return  # the server refuses a fragment as a whole; the canvas draws what there is
    nodes = [[one.name, "trigger"] for one in loaded.triggers]
    nodes += [[one.name, kind_of(one)] for one in loaded.listeners]
    wires = [[edge.source, edge.port, edge.target] for edge in flow.edges(loaded)]
    drawn = dict(seen["nodes"])
    for node in nodes:  # what only the server finds foreign in a text of Prompd is still drawn as its kind
        if loaded.dialect == "pdflow" and node[1] == "unbound":
            node[1] = drawn.get(node[0], "missing")
    assert sorted(seen["nodes"]) == sorted(nodes), file.name
    assert sorted(seen["edges"]) == sorted(wires), file.name


def test_the_examples_look_on_the_canvas_as_the_server_reads_them(tmp_path: Path) -> None:
    files = sorted((ROOT / "examples").rglob("flows/*.yaml"))
    assert files
    for file, seen in seen_by_the_core(files, tmp_path).items():
        assert seen["nodes"]
        assert_alike(Path(file), seen)


@pytest.mark.parametrize("kind", ["organism/*.yaml", "pdflow/*.pdflow"])
def test_the_corpus_looks_on_the_canvas_as_the_server_reads_it(
    kind: str, corpus: Path, tmp_path: Path
) -> None:
    files = sorted(corpus.glob(kind))
    assert files
    for file, seen in seen_by_the_core(files, tmp_path).items():
        assert_alike(Path(file), seen)


FAULTY = """\
organism: {name: faulty}
triggers:
  - {name: start, type: manual, to: nobody}
listeners:
  - {name: old, handler: agentserver.tools.shell}
  - name: python
    handler: acme.handlers:run
  - {name: typo, handler: "builtin:htpp"}
  - {name: later, handler: "builtin:code"}
  - {name: odd, handler: "to be done"}
  - {name: bare, peers: [lost]}
"""


def test_the_canvas_finds_the_faults_of_nodes_where_and_as_the_server_does(tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text(FAULTY)
    loaded = flow.load("faulty", "flows/faulty.yaml", {"flows/faulty.yaml": FAULTY.encode()})
    told = {(one.line, one.column, one.severity, one.message) for one in loaded.problems}
    seen = {tuple(one) for one in seen_by_the_core([file], tmp_path)[str(file)]["problems"]}
    assert len(seen) >= 8
    assert seen <= told, seen - told
