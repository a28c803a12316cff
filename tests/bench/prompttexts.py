"""The prompts of the bench: a short one, a long one with a loop, the short one with interceptors; or upstream's files."""

import io
import json
import zipfile

from tests.bench.processes import ROOT
from tests.bench.work import Work

CORPUS = ROOT.parent / "shared" / "corpus" / "prompd"
REAL = {
    "hello": CORPUS / "@examples" / "hello-world" / "prompts" / "hello.prmd",
    "ci-gate": CORPUS / "@prompd" / "ci-gate" / "prompts" / "ci-gate.prmd",
}
HELLO = """---
id: {id}
name: Greeting
version: 1.0.0
description: A short greeting
{more}parameters:
  - {{name: name, type: string, required: true, description: Whom to greet, default: World}}
---
# Hello, {{{{ name }}}}!

Write a short, friendly greeting for somebody called {{{{ name }}}}. Two or three sentences.
"""
CHAIN = "interceptors: [monitoring, {logging: {level: debug}}, {timeout: {timeoutMs: 30000}}]\n"
POINTS = (
    "what is wrong, in which line, and what would be right",
    "whether it was there before this change",
    "how sure you are, from 0 to 1",
    "which of the other findings it depends on",
    "who has to look at it, and who can put it right",
    "the words of the change that show it, at most two lines of them",
)
RULES = ("security", "errors", "naming", "complexity", "documentation", "tests", "logging", "speed")
GATE = """---
id: ci-gate
name: Gate of a pipeline
version: 1.0.0
description: Judges a change by rules, and answers a verdict that a program reads
parameters:
  - {name: diff, type: string, description: The change, as git shows it}
  - {name: rules, type: array, default: [security, errors, naming, complexity], description: What is looked at}
  - {name: threshold, type: string, default: warning, enum: [error, warning, info]}
  - {name: language, type: string, default: auto}
  - {name: files, type: string, description: Other files that help to understand the change}
  - {name: most, type: integer, default: 50, min: 1, max: 200}
---
# System

You are the gate of a pipeline: what you answer decides whether a change goes in. Answer JSON and nothing else.

# Context

{% for rule in rules %}

### {{ rule | upper }}

RULES
{% endfor %}

{% if language == "auto" %}Tell the language by the names of the files.{% else %}It is {{ language }}.{% endif %}

At most {{ most }} findings; with more of them, those that weigh most. Below {{ threshold }} none is a reason to refuse.

Answer nothing but JSON of this form:

```json
{
  "verdict": "pass",
  "summary": "what was found, in one line for people",
  "figures": {"files": 3, "added": 120, "removed": 45, "errors": 0, "warnings": 2, "remarks": 1},
  "findings": [
    {"id": "naming-1", "rule": "naming", "severity": "warning", "file": "a.py", "line": 12, "words": "def handle("}
  ]
}
```

# User

{% if files %}{{ files }}{% endif %}

{{ diff }}
"""


def gate() -> str:
    """As long as a gate that somebody uses: for each rule a list of what is looked at."""
    branches = []
    for number, rule in enumerate(RULES):
        points = "\n".join(f"- In the light of {rule}: {point}" for point in POINTS)
        branches.append(f'{{% {"elif" if number else "if"} rule == "{rule}" %}}\n\n{points}\n')
    return GATE.replace("RULES", "\n".join([*branches, "{% endif %}"]))


def texts() -> tuple[dict[str, str], bool]:
    """The two texts by name, and whether they are upstream's."""
    if all(path.exists() for path in REAL.values()):
        return {name: path.read_text() for name, path in REAL.items()}, True
    return {"hello": HELLO.format(id="hello", more=""), "ci-gate": gate()}, False


SAID = "# Hello, Ann!\n\nWrite a short, friendly greeting for somebody called Ann. Two or three sentences."
DRY = Work(
    "prompt, compiled only", "/hello", json.dumps({"name": "Ann"}).encode(), {"output": SAID, "problems": []}
)


def files(model: int = 80) -> dict[str, str]:
    """A bundle of prompts, whose model listens on that port."""
    where = f"base_url: 'http://127.0.0.1:{model}/v1', model: slow, api_key_env: MODEL_KEY"
    limits = "max_concurrent: 1000, rate_limit_tpm: 1000000000, timeout: 300"
    backend = f"{{provider: openai, name: slow, {where}, {limits}}}"
    return {
        "bundle.yaml": f"name: prompts\nllm: {{retries: 0, backends: [{backend}]}}\n",
        "prompts/hello.prmd": HELLO.format(id="hello", more=""),
        "prompts/guarded.prmd": HELLO.format(id="guarded", more=CHAIN),
        "prompts/ci-gate.prmd": gate(),
    }


def archive(model: int = 80) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, text in files(model).items():
            packed.writestr(path, text)
    return out.getvalue()
