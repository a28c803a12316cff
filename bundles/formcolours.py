"""Colours of a form's theme: read, and made to be legible whatever was chosen (WCAG 2: 4.5:1 for text, 3:1 for edges)."""

import colorsys
import re
from dataclasses import dataclass

Rgb = tuple[float, float, float]  # each from 0 to 1
WHITE: Rgb = (1, 1, 1)
BLACK: Rgb = (0, 0, 0)
INK, SNOW = "#18181b", "#fafafa"
NAMES = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "green": "#008000",
    "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff",
    "teal": "#008080", "aqua": "#00ffff", "orange": "#ffa500", "indigo": "#4b0082", "crimson": "#dc143c",
    "tomato": "#ff6347", "rebeccapurple": "#663399",
}  # fmt: skip
GRAMMAR = "#rrggbb, rgb(59 130 246), hsl(217 91% 60%) or a basic name such as navy"
HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)
PART = r"\s{0,5}(-?[0-9]{1,3}(?:\.[0-9]{1,4})?)(%|deg)?\s{0,5}"
CALL = re.compile(rf"(rgb|hsl)a?\({PART}[, ]{PART}[, ]{PART}\)", re.ASCII)


def read(text: str) -> Rgb | None:
    """The colour, opaque; None when it is none that is understood here."""
    text = text.strip().lower()
    text = NAMES.get(text, text)
    if found := HEX.fullmatch(text):
        digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
        return _rgb([int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)])
    if found := CALL.fullmatch(text):
        return _called(found)
    return None


def _called(found: re.Match[str]) -> Rgb | None:
    kind, *parts = found.groups()
    numbers, units = [float(part) for part in parts[::2]], parts[1::2]
    if kind == "rgb":
        if "deg" in units:
            return None
        return _rgb([n / (100 if unit else 255) for n, unit in zip(numbers, units, strict=True)])
    if units[0] == "%" or units[1:] != ["%", "%"]:
        return None
    hue, saturation, lightness = numbers[0] % 360 / 360, _unit(numbers[1] / 100), _unit(numbers[2] / 100)
    return colorsys.hls_to_rgb(hue, lightness, saturation)


def _rgb(parts: list[float]) -> Rgb:
    red, green, blue = map(_unit, parts)
    return red, green, blue


def _unit(number: float) -> float:
    return min(1.0, max(0.0, number))


def written(colour: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def of(text: str) -> Rgb:
    found = read(text)
    assert found is not None
    return found


def luminance(colour: Rgb) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``one`` with a share of ``other``."""
    return _rgb([a + (b - a) * share for a, b in zip(one, other, strict=True)])


def on(ground: Rgb) -> Rgb:
    """Black or white, whichever is seen better; at least 4.5:1 on every colour."""
    return WHITE if contrast(WHITE, ground) >= contrast(BLACK, ground) else BLACK


def legible(colour: Rgb, ground: Rgb, ratio: float) -> Rgb:
    """The colour, as little moved towards black or white as the contrast needs."""
    towards = on(ground)
    for step in range(101):
        made = of(written(mix(colour, towards, step / 100)))
        if contrast(made, ground) >= ratio:
            return made
    return towards


def button(colour: Rgb) -> Rgb:
    """White stands on most colours of brands almost well enough: they are darkened a little, so that it does."""
    if not 3 <= contrast(WHITE, colour) < 4.5:
        return colour
    while contrast(WHITE, of(written(colour))) < 4.5:
        colour = mix(colour, BLACK, 0.02)
    return of(written(colour))


def _other(colour: Rgb) -> Rgb:
    return BLACK if colour == WHITE else WHITE


def _card(page: Rgb, *, dark: bool) -> Rgb:
    """What the form lies on: near the page's colour, but so clear or dark that text of every colour can be made out."""
    card = mix(page, WHITE, 0.055 if dark else 0.8)
    while contrast(card, on(card)) < 13:
        card = mix(card, BLACK if dark else WHITE, 0.08)
    return of(written(card))


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one mode, as they are written into the stylesheet."""

    dark: bool
    colours: dict[str, str]


def palette(primary: Rgb | None, page: Rgb) -> Palette:
    """All colours of a form from two of them."""
    dark = on(page) == WHITE
    card = _card(page, dark=dark)
    text = legible(of(SNOW if dark else INK), card, 7)
    field = of(written(mix(card, BLACK if dark else WHITE, 0.25 if dark else 1)))
    primary = button(primary or of(SNOW if dark else INK))
    over = WHITE if contrast(WHITE, primary) >= 4.5 else BLACK  # black is then 4.6:1 at least
    worst = card if contrast(text, card) <= contrast(text, field) else field
    danger = legible(of("#ff9b94" if dark else "#b42318"), worst, 4.5)
    made = {
        "page": page,
        "card": card,
        "field": field,
        "text": text,
        "muted": legible(mix(text, card, 0.38), worst, 4.5),
        "line": mix(card, text, 0.14),
        "edge": legible(mix(card, text, 0.3), worst, 3),
        "primary": primary,
        "on-primary": over,
        "pressed": mix(primary, over if contrast(primary, over) > 6 else _other(over), 0.12),
        "button-edge": legible(primary, card, 3),
        "accent": legible(primary, worst, 4.5),
        "danger": danger,
        "danger-ground": of(written(mix(card, danger, 0.07))),
    }
    made["danger-text"] = legible(danger, made["danger-ground"], 4.5)
    return Palette(dark, {name: written(colour) for name, colour in made.items()})


def palettes(primary: Rgb | None, background: Rgb | None) -> tuple[Palette, ...]:
    """Light and dark; one alone when the background is chosen."""
    if background is not None:
        return (palette(primary, background),)
    return palette(primary, of("#f7f7f8")), palette(primary, of("#0c0c0e"))
