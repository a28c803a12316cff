"""Declarations and media conditions of `customCss`: properties, words and functions that may be used."""

import re

from bundles.formtokens import Refused, Token, words
from bundles.values import shown

PROPERTIES = words("""
    accent-color align-content align-items align-self aspect-ratio background background-color background-image
    background-position background-repeat background-size backdrop-filter border border-block border-bottom
    border-bottom-color border-bottom-left-radius border-bottom-right-radius border-bottom-style
    border-bottom-width border-collapse border-color border-inline border-left border-left-color
    border-left-style border-left-width border-radius border-right border-right-color border-right-style
    border-right-width border-spacing border-style border-top border-top-color border-top-left-radius
    border-top-right-radius border-top-style border-top-width border-width box-shadow box-sizing caret-color
    color color-scheme column-count column-gap columns cursor display filter flex flex-basis flex-direction
    flex-flow flex-grow flex-shrink flex-wrap font font-family font-feature-settings font-kerning font-size
    font-stretch font-style font-variant font-variant-numeric font-weight gap grid grid-area grid-auto-columns
    grid-auto-flow grid-auto-rows grid-column grid-gap grid-row grid-template grid-template-areas
    grid-template-columns grid-template-rows height hyphens justify-content justify-items justify-self
    letter-spacing line-height list-style list-style-position list-style-type margin margin-block
    margin-bottom margin-inline margin-left margin-right margin-top max-height max-width min-height min-width
    mix-blend-mode opacity order outline outline-color outline-offset outline-style outline-width overflow
    overflow-wrap overflow-x overflow-y padding padding-block padding-bottom padding-inline padding-left
    padding-right padding-top place-content place-items resize row-gap tab-size table-layout text-align
    text-decoration text-decoration-color text-decoration-style text-decoration-thickness text-indent
    text-overflow text-shadow text-transform text-underline-offset text-wrap transition transition-delay
    transition-duration transition-property transition-timing-function vertical-align white-space width
    word-break word-spacing""")
FUNCTIONS = frozenset(
    f"{name}("
    for name in words("""rgb rgba hsl hsla hwb lab lch oklab oklch color-mix linear-gradient radial-gradient
    conic-gradient repeating-linear-gradient repeating-radial-gradient calc min max clamp var minmax repeat
    fit-content cubic-bezier steps blur brightness contrast drop-shadow grayscale hue-rotate invert opacity
    saturate sepia""")
)
# Sizes may shrink to nothing, but nothing is moved out of its place: these may not be less than zero.
KEPT_IN_PLACE = ("margin", "text-indent", "letter-spacing", "word-spacing", "outline-offset")
HIDDEN_MATHS = frozenset(["calc(", "min(", "max(", "clamp(", "var("])
MEDIA = words("""all screen print and or not only min-width max-width width min-height max-height height orientation
    landscape portrait prefers-color-scheme dark light prefers-reduced-motion reduce no-preference
    prefers-contrast more less hover none pointer coarse fine""")
LOOSE = frozenset(["number", "dimension", "space", ",", "/", "+", "-", "*", ")"])
STRINGS = frozenset(["font", "font-family", "grid-template-areas", "grid-template", "list-style-type"])
VARIABLE = re.compile(r"--[A-Za-z0-9][-A-Za-z0-9_]{0,60}")
HEX = re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")
MAX_DEPTH = 10


def declaration(given: list[Token]) -> str:
    """`name: value;` in words that are all known here."""
    shown_tokens = [token for token in given if token.kind != "space"]
    first = shown_tokens[0]
    if first.kind != "ident" or len(shown_tokens) < 2 or shown_tokens[1].kind != ":":
        raise Refused(first, "here a property and a colon are expected; rules cannot lie in rules")
    name = first.text if first.text.startswith("--") else first.text.lower()
    if name not in PROPERTIES and not VARIABLE.fullmatch(name):
        raise Refused(first, f"the property {shown(first.text[:40])} is not allowed")
    start = next(place for place, token in enumerate(given) if token.kind == ":") + 1
    text = _value(name, given[start:])
    if not text:
        raise Refused(first, f"{shown(name)} has no value")
    return f"{name}: {text};"


def _value(name: str, given: list[Token]) -> str:
    parts, depth, before = [], 0, ""
    for token in given:
        depth += (token.kind in ("function", "(")) - (token.kind == ")")
        if not 0 <= depth <= MAX_DEPTH or (token.kind == "(" and before == "ident"):
            raise Refused(token, "the brackets of this value do not fit")
        before = before if token.kind == "space" else token.kind
        parts.append(_word(name, token))
    if depth:
        raise Refused(given[-1], "a bracket of this value is not closed")
    return " ".join("".join(parts).split())


def _word(name: str, token: Token) -> str:
    """One token of a value as it is written again."""
    if token.kind in ("number", "dimension", "function", "-"):
        _keep_in_place(name, token)
    if token.kind in LOOSE or (token.kind == "(" and name.startswith("grid")):
        return token.text
    if token.kind == "(":
        return "("
    if token.kind == "ident":
        return token.text
    if token.kind == "hash" and HEX.fullmatch(token.text):
        return token.text
    if token.kind == "function" and token.text in FUNCTIONS:
        return token.text
    if token.kind == "string" and name in STRINGS:
        return quoted(token)
    raise Refused(token, _why(token))


def _keep_in_place(name: str, token: Token) -> None:
    if name.startswith(KEPT_IN_PLACE) and (token.text.startswith("-") or token.text in HIDDEN_MATHS):
        raise Refused(token, f"{name} must be a plain length that is not below zero")


def _why(token: Token) -> str:
    if token.kind == "function":
        return f"{shown(token.text + '…)')} is not allowed: nothing is loaded or computed here"
    if token.kind == "!":
        return "!important is not allowed, and not needed: these rules come last"
    if token.kind == "odd":
        return f"{shown(token.text[:40])} has an escape or a letter beyond ASCII; put names in quotes"
    return f"a value cannot have {shown(token.text[:40])}"


def quoted(token: Token) -> str:
    inner = token.text[1:-1]
    if any(mark in inner for mark in "\\<>\"'"):
        raise Refused(token, "a text in a stylesheet cannot have backslashes, angle brackets or quotes")
    return f'"{inner}"'


def media(given: list[Token]) -> str:
    """The condition of `@media`, of known words and plain lengths."""
    depth, parts = 0, []
    for token in given:
        depth += (token.kind == "(") - (token.kind == ")")
        known = token.kind == "ident" and token.text.lower() in MEDIA
        plain = token.kind in ("(", ")", ":", ",", "<", ">", "=", "space", "number", "dimension")
        if not 0 <= depth <= 3 or not (known or plain):
            raise Refused(token, f"{shown(token.text[:40])} cannot be read in @media")
        parts.append(token.text)
    text = "".join(parts).strip()
    if not text or depth:
        raise Refused(given[0] if given else Token("", "", 1, 1), "@media needs a condition")
    return text
