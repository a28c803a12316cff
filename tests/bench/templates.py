"""Rows of templates: compiling a prompt from its file beside npm's nunjucks, and rendering one that is prepared."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import prompttexts
from tests.bench.processes import ROOT, BenchFailed, clean, output
from tests.bench.table import NODE, Goal, Row, ends, middle, ratios

RATE = "prompts/s"
PROGRAM = ROOT / "tests" / "bench" / "templates.mjs"
CACHED = {"hello": 20_000, "ci-gate": 2_000}
Figures = dict[str, dict[str, float]]


def measure(*, quick: bool) -> list[Row]:
    """Rounds in turns, so that what slows the machine down slows both sides."""
    texts, real = prompttexts.texts()
    rounds, seconds = (2, "0.5") if quick else (7, "1")
    with tempfile.TemporaryDirectory() as home:
        paths = [Path(home) / name for name in texts]
        for path in paths:
            path.write_text(texts[path.name])
        found = [both(seconds, [str(path) for path in paths]) for _ in range(rounds)]
    return [row for path in paths for row in rows(path, found, real=real)]


def both(seconds: str, paths: list[str]) -> tuple[Figures, Figures]:
    ours = json.loads(
        output([sys.executable, "-m", "tests.bench.templatecost", seconds, *paths], clean(), 120)
    )
    return ours, json.loads(output([node(), str(PROGRAM), seconds, *paths], clean(), 120))


def node() -> str:
    found = shutil.which("node")
    if found is None:
        raise BenchFailed("node is not installed: there is no nunjucks to compare with")
    probe = [found, "-e", "import('nunjucks').then(() => 0, () => process.exit(3))"]
    if subprocess.run(probe, cwd=ROOT, capture_output=True, check=False).returncode:
        raise BenchFailed("npm's nunjucks is not installed: run make build")
    return found


def rows(path: Path, found: list[tuple[Figures, Figures]], *, real: bool) -> list[Row]:
    mine: list[dict[str, float]] = [ours[str(path)] for ours, _ in found]
    theirs: list[dict[str, Any]] = [other[str(path)] for _, other in found]
    cold, floor = [one["cold"] for one in mine], [one["rate"] for one in theirs]
    to_node = ratios(cold, floor)
    whose = "upstream's file" if real else "a text of our own, of like size: the corpus is not here"
    lengths = f"{mine[0]['length']:.0f} characters, {theirs[0]['length']} of nunjucks"
    cached = [one["cached"] for one in mine]
    name = path.name
    return [
        Row(
            f"compile a prompt, {name}",
            {RATE: middle(cold), NODE: middle(to_node)},
            (Goal(NODE, 0.5, least=True),),
            f"front matter, template and text, nothing kept; {whose}; {lengths}",
            ends={NODE: ends(to_node)},
        ),
        Row(f"  compile a prompt, {name}: nunjucks of npm", {RATE: middle(floor)}, note="the floor"),
        Row(
            f"render a prompt, {name}",
            {RATE: middle(cached)},
            (Goal(RATE, CACHED[name], least=True),),
            "prepared before",
            ends={RATE: ends(cached)},
        ),
    ]
