"""What a page shows of a bundle's prompts: their addresses, their parameters, and an example to begin with."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from bundles import form as forms
from bundles import prompttest
from bundles.definitions import contents_of, definition
from bundles.models import Bundle, Revision
from bundles.promptparams import Parameter
from runtime import prompts
from runtime.prompts import LivePrompt

SAMPLES = {"string": "…", "integer": 1, "number": 1, "float": 1, "boolean": True, "array": [], "object": {}}


@dataclass(frozen=True, slots=True)
class Shown:
    """One prompt, as a row of a page. ``form`` is empty when strangers may not fill it in."""

    live: LivePrompt
    path: str
    form: str

    @property
    def interceptors(self) -> list[str]:
        return [one.name for one in self.live.endpoint.interceptors]


def all_of(bundle: Bundle, revision: Revision) -> list[Shown]:
    """By their ids; also those with errors, which say so."""
    found = prompts.ready(revision, definition(revision), None)
    return [shown(bundle.tenant.slug, one) for _, one in sorted(found.items())]


def shown(slug: str, one: LivePrompt) -> Shown:
    form, _ = forms.read(one.prepared.prompt, one.parameters)
    link = f"{settings.BASE_URL}/{slug}/forms/{one.id}" if form.public and not one.fault else ""
    return Shown(one, f"/{slug}/prompts/{one.id}", link)


def example(revision: Revision, one: LivePrompt) -> str:
    """The body of a first call, as JSON: that of its first test, which fits; else what its parameters say."""
    values = prompttest.example(contents_of(revision), one.file) or told(one.parameters)
    return json.dumps(values, indent=2, ensure_ascii=False, default=str)


def told(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Examples, else defaults, and a sample where a value has to be."""
    return {one.name: value(one) for one in parameters if one.required or has_example(one) or one.has_default}


def has_example(one: Parameter) -> bool:
    return one.example is not None


def value(one: Parameter) -> Any:
    if has_example(one):
        return one.example
    if one.has_default:
        return one.default
    return one.enum[0] if one.enum else SAMPLES.get(one.type, "…")
