"""The page of the documentation with the last figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.processes import ROOT
from tests.bench.table import Row, markdown

FILE = ROOT / "templates" / "docs" / "bench.md"
PAGE = """\
# Speed and size

`make bench` measures these on your machine; `make bench ARGS="--quick"` takes a few minutes less. The figures
below are from {machine}.

{table}

## How to read it

- **W1** echoes a small JSON body, **W2** sums ten items and adds tax. Every call passes the whole way: key, route,
  admission, a fresh sandbox, metering, a record in the history before the answer leaves.
- **× node** is the rate of calls beside a bare `node:http` server that does the same work, **× raw ASGI** beside an
  application that only sends the body back, under granian, which serves our pages. Those run in the same rounds, in turns,
  and neither isolates, meters nor records anything. A ratio is the middle one of all rounds; absolute figures of
  another machine mean little.
- **One edge process** is what serves the data plane alone (`manage.py up --split 1`); the goals count for it. It does
  not read the same head of a request twice on one connection; **every head another** shows a client that sends a
  different header with every call. **The server** of plain `manage.py up` serves pages too.
- **Compile a prompt** reads its front matter and its template anew each time, as npm's nunjucks does beside it; the bare
  server of **prompt, compiled only** writes the text by hand.
- **The waist** is what a call costs beside its function and the server: who asks, which route, admission, the
  record, the answer.
- Load generator, the importer of the history and the server share the cores of the machine, as they stand.
- A goal that was not reached says *missed*.
"""


def write(rows: Sequence[Row], facts: Mapping[str, object], file: Path = FILE) -> None:
    machine = ", ".join(f"{name} {value}" for name, value in facts.items())
    file.write_text(PAGE.format(machine=machine, table=markdown(rows)), encoding="utf-8")
