"""Pages of a form as answers: filled in, sent or refused; nothing but our own script and stylesheets runs in them."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from bundles.form import Form
from bundles.formfields import Input, text_of
from runtime.exchange import Given, Pairs
from runtime.formkit import Asset, Kit, ours

ALWAYS: Pairs = [
    ("content-type", "text/html; charset=utf-8"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
]
PLAIN = Kit(Form(), (), (), ours())


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One field with what is in it and what is wrong with that."""

    input: Input
    values: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def value(self) -> str:
        return self.values[-1] if self.values else ""

    @property
    def options(self) -> list[Option]:
        return [Option(one.value, one.label, one.value in self.values) for one in self.input.choices]

    @property
    def described(self) -> str:
        one = self.input
        parts = ["error", "help" if one.help else "", "example" if one.example else ""]
        return " ".join(f"{one.id}-{part}" for part in parts if part)


@dataclass(frozen=True, slots=True)
class Faults:
    """What a page says is wrong: of fields by the paths of the check, and of the whole."""

    status: int = 200
    heading: str = ""
    lead: str = ""
    errors: tuple[Mapping[str, str], ...] = ()
    whole: tuple[str, ...] = ()
    headers: Mapping[str, str] | None = None
    texts: Mapping[str, list[str]] | None = None  # what was sent; None: what is in the form at first


NONE = Faults()


def filled(kit: Kit, base: str, token: str, faults: Faults = NONE) -> Given:
    """The form itself."""
    texts = faults.texts
    by_field, rest = sorted_out(kit.inputs, faults.errors)
    shown = {
        one.name: Shown(
            one, one.initial if texts is None else tuple(texts.get(one.name, ())), by_field.get(one.name, ())
        )
        for one in kit.inputs
    }
    problems = [
        {"id": one.id, "label": one.label, "said": " ".join(by_field[one.name])}
        for one in kit.inputs
        if one.name in by_field
    ]
    problems += [{"id": "", "said": said} for said in (*faults.whole, *rest)]
    told = {
        "token": token,
        "files": any(one.control == "file" for one in kit.inputs),
        "needed": any(one.required for one in kit.inputs) and any(not one.required for one in kit.inputs),
        "problems": problems,
        "heading": faults.heading or heading(len(problems)),
        "lead": faults.lead,
        "sections": [
            {
                "title": one.title,
                "description": one.description,
                "fields": [shown[each.name] for each in one.inputs],
            }
            for one in kit.sections
        ],
    }
    return page("forms/form.html", kit, base, told, faults)


def heading(count: int) -> str:
    return "There is a problem" if count == 1 else f"There are {count} problems"


def sent(kit: Kit, base: str, output: Any, *, rehearsed: bool = False) -> Given:
    """What the model wrote is text; whatever it looks like, it is shown as it stands."""
    told = {"heading": kit.form.success.title or "Done", "output": text_of(output), "rehearsed": rehearsed}
    return page("forms/sent.html", kit, base, told)


def refused(base: str, faults: Faults, *, code: str = "") -> Given:
    """A page of the platform for who may not see the form, or where there is none."""
    told = {"heading": faults.heading, "message": faults.lead, "code": code}
    return page("forms/refused.html", PLAIN, base, told, faults)


def page(template: str, kit: Kit, base: str, told: Mapping[str, Any], faults: Faults = NONE) -> Given:
    nonce = secrets.token_urlsafe(18)
    styles = ("form.css", "theme.css" if "theme.css" in kit.assets else "plain.css", "custom.css")
    common = {
        "form": kit.form,
        "nonce": nonce,
        "styles": [kit.address(base, name) for name in styles if name in kit.assets],
        "script": kit.address(base, "form.js") if kit.inputs else "",
        "action": base,
    }
    body = render_to_string(template, {**common, **told}).encode()
    head = [*ALWAYS, *policy(nonce, kit.form.embed), ("content-length", str(len(body)))]
    head += [(name.lower(), value) for name, value in (faults.headers or {}).items()]
    return Given(faults.status, head, body)


def policy(nonce: str, embed: Iterable[str]) -> Pairs:
    """An origin of its own, no addresses but ours, and only frames of pages that were named."""
    origins = " ".join(embed)
    rules = [
        "default-src 'none'",
        f"style-src 'nonce-{nonce}'",
        f"script-src 'nonce-{nonce}'",
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {origins or chr(39) + 'none' + chr(39)}",
        "sandbox allow-forms allow-scripts",
    ]
    made: Pairs = [("content-security-policy", "; ".join(rules))]
    return made if origins else [*made, ("x-frame-options", "DENY")]


def file(found: Asset, *, lasting: bool, public: bool) -> Given:
    """A stylesheet or the script; under its digest it never changes."""
    cache = f"{'public' if public else 'private'}, max-age=31536000, immutable" if lasting else "no-cache"
    head: Pairs = [
        ("content-type", found.kind),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", cache),
        ("content-length", str(len(found.data))),
    ]
    return Given(200, head, found.data)


def sorted_out(
    inputs: Iterable[Input], errors: Iterable[Mapping[str, str]]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Problems by field, and those that belong to none."""
    known = sorted(inputs, key=lambda one: len(one.parameter.name), reverse=True)
    found: dict[str, tuple[str, ...]] = {}
    rest: list[str] = []
    for error in errors:
        path, message = error["path"], error["message"]
        own = next((one for one in known if belongs(path, one.parameter.name)), None)
        if own is None:
            rest.append(sentence(f"{path}: {message}" if path else message))
        else:
            inner = path[len(own.parameter.name) :].removeprefix(".")
            said = f"{inner}: {message}" if inner else sentence(message)
            found[own.name] = (*found.get(own.name, ()), said)
    return found, rest


def belongs(path: str, name: str) -> bool:
    return path == name or (path.startswith(name) and path[len(name)] in ".[")


def sentence(text: str) -> str:
    """A message of the check as it stands beside a field."""
    if text == "is needed":
        return "This is needed."
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
