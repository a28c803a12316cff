"""`customCss` of a form: parsed, checked against lists of what is allowed, and written anew for the form alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bundles.formselectors import selector
from bundles.formtokens import Refused, Token, tokens
from bundles.formvalues import declaration, media
from bundles.values import shown

MAX_RULES = 1_000
MAX_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was left out, and why; lines and columns are those of the stylesheet."""

    line: int
    column: int
    message: str


@dataclass(slots=True)
class Sheet:
    """What is left of a stylesheet."""

    rules: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, token: Token, why: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(token.line, token.column, why))

    @property
    def text(self) -> str:
        return "\n".join(self.rules)


def confined(text: str) -> Sheet:
    """The rules that may stand. Every one is written from its tokens, so nothing else of the text gets through."""
    sheet = Sheet()
    _rules(list(tokens(text)), sheet, sheet.rules, inside=False)
    return sheet


def _rules(given: list[Token], sheet: Sheet, out: list[str], *, inside: bool) -> None:
    at = 0
    while at < len(given):
        first = given[at]
        if first.kind in ("space", "comments", ";"):
            at += 1
        elif first.kind in ("}", ")", "]", "comment", "badstring"):
            sheet.refuse(first, f"{shown(first.text[:40])} has no place here")
            at += 1
        else:
            at = _rule(given, at, sheet, out, inside=inside)


def _rule(given: list[Token], at: int, sheet: Sheet, out: list[str], *, inside: bool) -> int:
    """One rule from ``at``; the place behind it."""
    first, named = given[at], given[at].kind == "at"
    stop = until(given, at, "{;" if named else "{")
    end = until(given, stop + 1, "}") if stop < len(given) and given[stop].kind == "{" else stop
    block = given[stop + 1 : end]
    if len(sheet.rules) >= MAX_RULES or len(out) >= MAX_RULES:
        sheet.refuse(first, f"more than {MAX_RULES} rules")
        return len(given)
    try:
        if end >= len(given):
            raise Refused(first, "this rule does not end")
        if not named:
            _style(given[at:stop], block, sheet, out)
        elif first.text == "@media" and not inside and given[stop].kind == "{":
            _media(given[at + 1 : stop], block, sheet, out)
        else:
            raise Refused(first, f"{shown(first.text)} is not allowed here")
    except Refused as wrong:
        sheet.refuse(wrong.token, str(wrong))
    return end + 1


def _media(prelude: list[Token], block: list[Token], sheet: Sheet, out: list[str]) -> None:
    inner: list[str] = []
    condition = media(prelude)
    _rules(block, sheet, inner, inside=True)
    if inner:
        out.append(f"@media {condition} {{\n" + "\n".join(inner) + "\n}")


def _style(prelude: list[Token], block: list[Token], sheet: Sheet, out: list[str]) -> None:
    where = ", ".join(selector(part) for part in split(prelude, ","))
    said = []
    for part in split(block, ";"):
        if not any(token.kind != "space" for token in part):
            continue
        try:
            said.append(declaration(part))
        except Refused as wrong:
            sheet.refuse(wrong.token, str(wrong))
    if said:
        out.append(f"{where} {{ " + " ".join(said) + " }")


def until(given: list[Token], at: int, ends: str) -> int:
    """Where one of these marks stands outside of all brackets; behind the last token when there is none."""
    awaited: list[str] = []
    for place in range(at, len(given)):
        token = given[place]
        if awaited and token.kind == awaited[-1]:
            awaited.pop()
        elif not awaited and token.kind in ends:
            return place
        elif token.opens:
            awaited.append(token.opens)
    return len(given)


def split(given: list[Token], mark: str) -> Iterable[list[Token]]:
    at = 0
    while at <= len(given):
        end = until(given, at, mark)
        yield given[at:end]
        at = end + 1
