"""The flows of examples/flows as starting points: each is a file that people read, so its comments are its page."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "examples" / "flows"
# The order of the gallery: what a beginner needs first.
ORDER = (
    "greet",
    "orders",
    "fanout",
    "careful-call",
    "report",
    "summary",
    "triage",
    "approval",
    "counter",
    "reminder",
)
BLANK = """\
organism:
  name: {name}

triggers:
  - {{name: incoming, type: webhook, to: answer}}

listeners:
  - name: answer
    handler: builtin:output
    with: {{status: 200, body: "${{payload}}"}}
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A flow file: the first comment line is its title, the rest of that comment says what it does."""

    slug: str
    title: str
    about: str
    text: str


def examples() -> list[Example]:
    """Every file, the known ones in their order, others behind them."""
    found = {path.stem: path for path in FOLDER.glob("*.yaml")}
    known = [slug for slug in ORDER if slug in found]
    return [read(str(found[slug])) for slug in [*known, *sorted(set(found) - set(known))]]


def example(slug: str) -> Example | None:
    return next((one for one in examples() if one.slug == slug), None)


@lru_cache(maxsize=64)
def read(path: str) -> Example:
    text = Path(path).read_text(encoding="utf-8")
    head = [line[1:].strip() for line in takewhile(lambda line: line.startswith("#"), text.splitlines())]
    said = [line for line in head[1:] if line]
    about = " ".join(line for line in said if not line.startswith(("Try it", "-d")))
    return Example(Path(path).stem, head[0], about, text)
