"""What a picture says of itself, its format and its size, from its first bytes; nobody looks at it."""

import struct
from dataclasses import dataclass

from bundles.promptdocuments import Unreadable

NOTE = "*Note: OCR not implemented. Only metadata extracted.*"  # in the words of upstream
PNG, JPEG, WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"WEBP"
GREY = (0, 4)  # of the colour types of PNG
ALONE = frozenset({0x01, *range(0xD0, 0xDA)})  # marks of JPEG without a length
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True, slots=True)
class Picture:
    format: str
    width: int
    height: int
    colours: str


def read(name: str, data: bytes) -> str:
    found = look(data)
    lines = (
        f"Image: {name}",
        f"Format: {found.format}",
        f"Dimensions: {found.width}x{found.height}",
        f"Color Space: {found.colours}",
    )
    return "```\n" + "\n".join(lines) + f"\n```\n\n{NOTE}"


def look(data: bytes) -> Picture:
    if data.startswith(PNG) and len(data) >= 29:
        width, height = struct.unpack(">II", data[16:24])
        return Picture("png", width, height, "b-w" if data[25] in GREY else "srgb")
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return Picture("gif", width, height, "srgb")
    if data.startswith(JPEG):
        return jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == WEBP and len(data) >= 30:
        return Picture("webp", *webp(data), "srgb")
    raise Unreadable("is no picture that is known")


def jpeg(data: bytes) -> Picture:
    """Its size stands in the first frame; whatever lies before it has a length."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark in FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            colours = {1: "b-w", 4: "cmyk"}.get(data[at + 9], "srgb")
            return Picture("jpeg", width, height, colours)
        at += 2 if mark in ALONE else 1 if mark == 0xFF else 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    raise Unreadable("is a JPEG file without a frame")


def webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF
