"""Small guests for tests and the bench: `.wat` files made into modules, built `.wasm` files as they are."""

from functools import cache
from pathlib import Path

import wasmtime

HERE = Path(__file__).resolve().parent
INCLUDE = ";; include "


def names() -> list[str]:
    """Every guest: `echo` for echo.wat, `total_as` for total_as.wasm. Names with `_` in front are parts."""
    found = {path.stem for path in HERE.iterdir() if path.suffix in (".wat", ".wasm")}
    return sorted(name for name in found if not name.startswith("_"))


@cache
def guest(name: str) -> bytes:
    """The module of a guest."""
    built = HERE / f"{name}.wasm"
    return built.read_bytes() if built.exists() else bytes(wasmtime.wat2wasm(source(name)))


def source(name: str) -> str:
    """The text of a guest, with the lines `;; include _part` replaced by that part."""
    lines = (HERE / f"{name}.wat").read_text().splitlines()
    return "\n".join(
        source(line.strip().removeprefix(INCLUDE)) if INCLUDE in line else line for line in lines
    )
