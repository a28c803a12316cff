"""The sheets of an .xlsx file as CSV, each under its name; standard library only."""

import posixpath
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

from bundles.nunjucks.numbers import number_text
from bundles.promptdocuments import Package, Unreadable

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
MAX_CELLS = 200_000  # of one sheet, empty ones counted
MAX_SHEETS = 100
DATES = frozenset(
    {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
)  # formats that Excel brings
LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.')
PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
Cells = dict[tuple[int, int], str]  # by row and column, from 1


class Book:
    """What all sheets share: texts, which styles are dates, where days begin."""

    def __init__(self, package: Package) -> None:
        self.package = package
        book = package.tree("xl/workbook.xml", needed=True)
        links = package.tree("xl/_rels/workbook.xml.rels", needed=True)
        self.parts = {one.get("Id", ""): one.get("Target", "") for one in links}
        self.sheets = [
            (one.get("name", ""), self.parts.get(one.get(R, ""), "")) for one in book.iter(f"{S}sheet")
        ]
        settings = book.find(f"{S}workbookPr")
        late = settings is not None and settings.get("date1904") in ("1", "true")
        self.first = datetime(1904, 1, 1, tzinfo=UTC) if late else datetime(1899, 12, 30, tzinfo=UTC)
        self.texts = [words(one) for one in package.tree("xl/sharedStrings.xml") if one.tag == f"{S}si"]
        self.dates = self.date_styles()

    def date_styles(self) -> frozenset[int]:
        styles = self.package.tree("xl/styles.xml")
        own = {one.get("numFmtId"): is_date(one.get("formatCode", "")) for one in styles.iter(f"{S}numFmt")}
        used = styles.find(f"{S}cellXfs")
        ids = [one.get("numFmtId", "0") for one in used] if used is not None else []
        return frozenset(at for at, id in enumerate(ids) if own.get(id, id.isdigit() and int(id) in DATES))

    def cell(self, cell: Element) -> str:
        kind, value = cell.get("t", "n"), cell.findtext(f"{S}v") or ""
        if kind == "inlineStr":
            inline = cell.find(f"{S}is")
            return "" if inline is None else words(inline)
        if kind == "s":
            return self.texts[int(value)] if value else ""
        if kind == "b":
            return "true" if value == "1" else "false"
        return self.number(value, int(cell.get("s") or 0)) if kind == "n" and value else value

    def number(self, value: str, style: int) -> str:
        number = float(value)
        if style not in self.dates:
            return number_text(number)
        try:
            moment = self.first + timedelta(milliseconds=round(number * 86_400_000))
        except OverflowError:
            return number_text(number)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read(name: str, data: bytes) -> str:
    """Sheets without a value are left out."""
    book = Book(Package(data))
    found = []
    for title, target in book.sheets[:MAX_SHEETS]:
        part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
        cells = sheet(book, part)
        if cells:
            found.append(f"### Sheet: {title}\n\n```csv\n{csv(cells)}\n```")
    return "\n\n".join(found)


def sheet(book: Book, part: str) -> Cells:
    cells: Cells = {}
    for event, element in book.package.events(part):
        if event == "start":
            continue
        if element.tag == f"{S}c":
            if (text := book.cell(element)) and (at := place(element.get("r", ""))):
                cells[at] = text
        elif element.tag == f"{S}mergeCell":
            merge(cells, element.get("ref", ""))
        elif element.tag == f"{S}row":
            element.clear()
        if len(cells) > MAX_CELLS:
            raise Unreadable(f"has a sheet of more than {MAX_CELLS:,} cells")
    return cells


def merge(cells: Cells, area: str) -> None:
    """Each of the cells that were made one has its value."""
    first, _, last = area.partition(":")
    begin, end = place(first), place(last)
    if begin is None or end is None or begin not in cells:
        return
    if (end[0] - begin[0] + 1) * (end[1] - begin[1] + 1) > MAX_CELLS:
        raise Unreadable(f"has a sheet of more than {MAX_CELLS:,} cells")
    for row in range(begin[0], end[0] + 1):
        for column in range(begin[1], end[1] + 1):
            cells[row, column] = cells[begin]


def csv(cells: Cells) -> str:
    rows, columns = max(row for row, _ in cells), max(column for _, column in cells)
    if rows * columns > MAX_CELLS:
        raise Unreadable(f"has a sheet of more than {MAX_CELLS:,} cells")
    return "\n".join(",".join(line(cells, row, columns)) for row in range(1, rows + 1))


def line(cells: Cells, row: int, columns: int) -> Iterator[str]:
    for column in range(1, columns + 1):
        text = cells.get((row, column), "")
        yield '"' + text.replace('"', '""') + '"' if set(text) & set('",\r\n') else text


def place(written: str) -> tuple[int, int] | None:
    """B7 as row 7 and column 2."""
    found = PLACE.fullmatch(written)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


def words(element: Element) -> str:
    """Its text, of whatever pieces; how it is pronounced is left out."""
    pieces = [element.findtext(f"{S}t") or ""]
    pieces += [run.findtext(f"{S}t") or "" for run in element.findall(f"{S}r")]
    return "".join(pieces)


def is_date(code: str) -> bool:
    return bool(set(LITERAL.sub("", code).lower()) & set("ymdhs")) and "general" not in code.lower()
