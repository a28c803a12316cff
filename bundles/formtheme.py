"""The theme of a form as a stylesheet: variables with colours that can be told apart, and its fonts."""

from collections.abc import Iterable

from bundles.form import Form
from bundles.formcolours import Palette, palettes

GENERIC = frozenset(
    ["serif", "sans-serif", "monospace", "system-ui", "ui-sans-serif", "ui-serif", "ui-monospace"]
)
USUAL = ("ui-sans-serif", "system-ui", "sans-serif")


def stylesheet(form: Form) -> str:
    """Light, and dark for who prefers it; a background that was chosen has one look alone."""
    first, *others = palettes(form.primary, form.background)
    lines = [f":root {{ --form-font: {fonts(form.fonts)}; {variables(first)} }}"]
    for other in others:
        lines.append(f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(other)} }} }}")
    return "\n".join(lines) + "\n"


def variables(palette: Palette) -> str:
    named = [f"--form-{name}: {colour};" for name, colour in palette.colours.items()]
    return " ".join([f"color-scheme: {'dark' if palette.dark else 'light'};", *named])


def fonts(names: Iterable[str]) -> str:
    """Names were checked when they were read; quotes keep the words of one together."""
    written = [name if name in GENERIC else f'"{name}"' for name in names]
    return ", ".join(dict.fromkeys([*written, *USUAL]))


def custom(form: Form) -> str:
    """The tenant's own rules, in a layer above ours and below what may not be changed."""
    return f"@layer custom {{\n{form.css}\n}}\n"
