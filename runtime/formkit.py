"""The form of a prompt as this process has it: fields, stylesheets and their addresses, made once for each revision."""

import asyncio
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from bundles import form as forms
from bundles import formtheme
from bundles.form import Form
from bundles.formfields import Input, Section, sections
from runtime.prompts import Found, LivePrompt

FOLDER = Path(settings.BASE_DIR) / "static" / "forms"
KEPT = 500
CSS, SCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file beside the page; its digest is in its address."""

    kind: str
    data: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Kit:
    """All that a page needs beside what was sent."""

    form: Form
    sections: tuple[Section, ...]
    inputs: tuple[Input, ...]
    assets: dict[str, Asset]

    def address(self, base: str, name: str) -> str:
        return f"{base}/{name}?v={self.assets[name].digest}" if name in self.assets else ""


def asset(kind: str, text: str) -> Asset:
    data = text.encode()
    return Asset(kind, data, hashlib.sha256(data).hexdigest()[:16])


@cache
def ours() -> dict[str, Asset]:
    """What is the same in every form."""
    return {
        "form.css": asset(CSS, (FOLDER / "form.css").read_text()),
        "plain.css": asset(CSS, formtheme.stylesheet(Form())),
        "form.js": asset(SCRIPT, (FOLDER / "form.js").read_text()),
    }


_kits: dict[tuple[str, int, str], Kit] = {}


async def of(found: Found) -> Kit:
    """Revisions never change, so it is made once, in a thread: a stylesheet may be long. The oldest are forgotten."""
    bundle, prompt = found
    key = (bundle.id, bundle.revision, prompt.id)
    known = _kits.get(key)
    if known is None:
        known = await asyncio.to_thread(made, prompt)
        while len(_kits) >= KEPT:
            del _kits[next(iter(_kits))]
        _kits[key] = known
    return known


def made(prompt: LivePrompt) -> Kit:
    head = prompt.prepared.prompt
    form, _ = forms.read(head, prompt.parameters)
    parts = sections(form, prompt.parameters, max_bytes=settings.CALL_MAX_BODY)
    own = {"theme.css": asset(CSS, formtheme.stylesheet(form))}
    if form.css:
        own["custom.css"] = asset(CSS, formtheme.custom(form))
    inputs = tuple(one for section in parts for one in section.inputs)
    return Kit(form, parts, inputs, {**ours(), **own})
