"""Selectors of `customCss`: classes, a few elements and states; each is bound to the form."""

from bundles.formtokens import Refused, Token, words
from bundles.values import shown

SCOPE = ".form-scope"
ELEMENTS = words(
    "a abbr b button code details div em fieldset footer form h1 h2 h3 header i input label legend li main ol "
    "optgroup option output p pre section select small span strong summary textarea u ul"
)
STATES = words(
    "hover focus focus-visible focus-within active disabled enabled checked required optional valid invalid "
    "user-invalid first-child last-child only-child first-of-type last-of-type empty placeholder-shown"
)
COUNTED = frozenset(["nth-child(", "nth-last-child(", "nth-of-type("])
PARTS = words("placeholder marker first-line first-letter file-selector-button selection")
COMBINATORS = frozenset(">+~")
MAX_TOKENS = 60
PAGE = "the page itself is .form-page, the sheet on it .form-container"


def selector(given: list[Token]) -> str:
    """One selector as it is written into the stylesheet, below the form."""
    given = _trimmed(given)
    if not given or len(given) > MAX_TOKENS:
        place = given[0] if given else Token("space", " ", 1, 1)
        raise Refused(place, "this selector is too long" if given else "a selector is missing")
    if given[0].kind in COMBINATORS or given[-1].kind in COMBINATORS:
        raise Refused(given[0], "a selector cannot begin or end with a combinator")
    parts, at = [], 0
    while at < len(given):
        taken, text = _part(given, at)
        parts.append(text)
        at += taken
    return f"{SCOPE} " + "".join(parts)


def _trimmed(given: list[Token]) -> list[Token]:
    start, end = 0, len(given)
    while start < end and given[start].kind == "space":
        start += 1
    while end > start and given[end - 1].kind == "space":
        end -= 1
    return given[start:end]


def _part(given: list[Token], at: int) -> tuple[int, str]:
    """The next piece, and of how many tokens it is made."""
    token = given[at]
    follows = given[at + 1] if at + 1 < len(given) else Token("", "", token.line, token.column)
    if token.kind in ("space", "*"):
        return 1, token.text
    if token.kind in COMBINATORS:
        before = next(one for one in reversed(given[:at]) if one.kind != "space")
        if before.kind in COMBINATORS:
            raise Refused(token, "two combinators follow each other")
        return 1, token.text
    if token.kind == "ident":
        return 1, _element(token)
    if token.kind == "." and follows.kind == "ident":
        return 2, "." + follows.text
    if token.kind == ":":
        return _state(given, at)
    if token.kind == "hash" or token.kind == "[":
        raise Refused(token, "a selector may have classes, not ids or attributes")
    raise Refused(token, f"a selector cannot have {shown(token.text[:40])}")


def _element(token: Token) -> str:
    word = token.text.lower()
    if word in ELEMENTS:
        return word
    raise Refused(token, f"the element {shown(token.text[:40])} cannot be chosen; {PAGE}")


def _state(given: list[Token], at: int) -> tuple[int, str]:
    token, rest = given[at], given[at + 1 : at + 3]
    if rest and rest[0].kind == "ident" and rest[0].text.lower() in STATES:
        return 2, ":" + rest[0].text.lower()
    if len(rest) == 2 and rest[0].kind == ":" and rest[1].text.lower() in PARTS and rest[1].kind == "ident":
        return 3, "::" + rest[1].text.lower()
    if rest and rest[0].kind == "function" and rest[0].text in COUNTED:
        return _counted(given, at)
    name = "".join(one.text for one in rest)[:40]
    raise Refused(token, f"{shown(':' + name)} is not among the states that can be chosen")


def _counted(given: list[Token], at: int) -> tuple[int, str]:
    """`:nth-child(2n+1)`: numbers, n, even and odd alone."""
    text = ":" + given[at + 1].text
    for taken, token in enumerate(given[at + 2 :], start=3):
        if token.kind == ")":
            return taken, text + ")"
        if token.kind not in ("number", "dimension", "space", "+") and token.text not in (
            "n",
            "-n",
            "even",
            "odd",
        ):
            break
        text += token.text
    raise Refused(given[at], "the count of this selector cannot be read")
