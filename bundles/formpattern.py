"""Patterns of parameters (RE2) as patterns of browsers, where both mean the same."""

PLAIN_ESCAPES = frozenset("dDwWnrtfv^$\\.*+?()[]{}|/")
BLANK = "\\t\\n\\f\\r "  # what \s means to RE2; browsers count more


def for_browsers(pattern: str) -> str | None:
    """The same in JavaScript's syntax with the flag u; None when it cannot be said there, and only the server checks."""
    out: list[str] = []
    at, inside = 0, False
    while at < len(pattern):
        mark, follows = pattern[at], pattern[at + 1 : at + 2]
        if mark == "\\":
            said = _escape(follows, inside=inside)
            if said is None:
                return None
            out.append(said)
            at += 2
            continue
        if mark == "(" and follows == "?" and pattern[at : at + 3] != "(?:":
            return None
        if inside and mark == "[":
            return None
        if mark == "[" and not inside:
            inside = True
            # A bracket that is the first of its class stands for itself in RE2, and ends the class in browsers.
            if pattern[at + 1 :].removeprefix("^").startswith("]"):
                return None
        elif mark == "]" and inside:
            inside = False
        out.append("[^\\n]" if mark == "." and not inside else mark)
        at += 1
    return "".join(out)


def _escape(letter: str, *, inside: bool) -> str | None:
    if letter in PLAIN_ESCAPES and letter:
        return "\\" + letter
    if letter == "-":
        return "\\-" if inside else "-"
    if letter == "s":
        return BLANK if inside else f"[{BLANK}]"
    if letter == "S" and not inside:
        return f"[^{BLANK}]"
    return None
