"""Sheets, letters and pictures that a prompt refers to (bundles/promptdocuments.py), and what is tried with them."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import promptlint
from bundles.promptcompile import compile_prompt
from bundles.promptdocuments import Unreadable, text_of
from bundles.promptfiles import spent
from bundles.values import Report

SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
OFFICE = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
HEAD = "---\nid: a\nname: A\nversion: 1.0.0\n{more}\n---\n{body}"
ROWS = """
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>when</t></is></c></row>
<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>12.50</v></c><c r="C2" s="1"><v>46053</v></c>
<c r="D2" t="b"><v>1</v></c></row>
<row r="4"><c r="B4" t="str"><f>B2*2</f><v>a "b", c</v></c><c r="D4" t="e"><v>#DIV/0!</v></c></row>
"""


def packed(**parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name.replace("__", "/") + (".rels" if name.endswith("_rels_") else ".xml"), text)
    return made.getvalue()


def book(
    rows: str = ROWS,
    *,
    more: str = "",
    strings: str = "<si><t>id</t></si><si><r><t>na</t></r><r><t>me</t></r></si>",
) -> bytes:
    made = io.BytesIO()
    parts = {
        "xl/workbook.xml": f'<workbook {SHEET} {OFFICE}><sheets><sheet name="Orders" r:id="r1"/>'
        '<sheet name="Empty" r:id="r2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships {LINKS}><Relationship Id="r1" Target="worksheets/one.xml"/>'
        '<Relationship Id="r2" Target="/xl/worksheets/two.xml"/></Relationships>',
        "xl/sharedStrings.xml": f"<sst {SHEET}>{strings}</sst>",
        "xl/styles.xml": f'<styleSheet {SHEET}><numFmts><numFmt numFmtId="170" formatCode="yyyy-mm-dd"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>',
        "xl/worksheets/one.xml": f"<worksheet {SHEET}><sheetData>{rows}</sheetData>{more}</worksheet>",
        "xl/worksheets/two.xml": f"<worksheet {SHEET}><sheetData/></worksheet>",
    }  # fmt: skip
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return made.getvalue()


def letter(body: str) -> bytes:
    return packed(word__document=f"<w:document {WORD}><w:body>{body}</w:body></w:document>")


def png(width: int = 64, height: int = 48, colours: int = 2) -> bytes:
    head = struct.pack(">II5B", width, height, 8, colours, 0, 0, 0)
    whole = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + whole + struct.pack(">I", zlib.crc32(whole))


def compiled(more: str, **files: bytes) -> Any:
    beside = {f"prompts/{name.replace('_', '.')}": data for name, data in files.items()}
    prompt = HEAD.format(more=more, body="# User\n\nLook.").encode()
    return compile_prompt({"prompts/a.prmd": prompt, **beside}, "prompts/a.prmd", {})


# -- what is read ---------------------------------------------------------------------------------------


def test_sheets_become_csv_under_their_names_and_empty_ones_are_left_out() -> None:
    assert text_of("a.xlsx", ".xlsx", book()) == (
        "### Sheet: Orders\n\n```csv\nid,name,when,\n1,12.5,2026-01-31T00:00:00.000Z,true\n,,,\n"
        ',"a ""b"", c",,#DIV/0!\n```'
    )


def test_cells_that_were_made_one_have_one_value() -> None:
    merged = '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>'
    one = '<row r="1"><c r="A1"><v>7</v></c></row><row r="3"><c r="A3"><v>8</v></c></row>'
    assert "7,7\n7,7\n8,\n" in text_of("a.xlsx", ".xlsx", book(one, more=merged))


def test_a_letter_becomes_its_paragraphs() -> None:
    data = letter(
        "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>Dear</w:t><w:tab/><w:t>Ann</w:t></w:r></w:p>"
        "<w:p/><w:p><w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r><w:del><w:r><w:delText>no</w:delText></w:r></w:del></w:p>"
    )
    assert text_of("a.docx", ".docx", data) == "Dear\tAnn\n\n\n\none\ntwo\n\n"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.png", png(), ("png", "64x48", "srgb")),
        ("g.png", png(colours=0), ("png", "64x48", "b-w")),
        ("a.gif", b"GIF89a" + struct.pack("<HH", 5, 6) + b"\0\0\0", ("gif", "5x6", "srgb")),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x30\0\x40\x03" + b"\0" * 12, ("jpeg", "64x48", "srgb")),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x3f\0\0\x2f\0\0" + b"\0" * 4, ("webp", "64x48", "srgb")),
    ],
)  # fmt: skip
def test_a_picture_says_what_it_is(name: str, data: bytes, told: tuple[str, str, str]) -> None:
    said = text_of(name, "." + name.split(".")[1], data)
    assert said.startswith(
        f"```\nImage: {name}\nFormat: {told[0]}\nDimensions: {told[1]}\nColor Space: {told[2]}\n"
    )


def test_they_stand_before_a_prompt_and_in_its_text() -> None:
    found = compiled(
        "context: [a.xlsx]\nsystem: ./b.docx",
        a_xlsx=book(),
        b_docx=letter("<w:p><w:r><w:t>Be kind.</w:t></w:r></w:p>"),
    )
    assert found.problems == ()
    assert "## Context from a.xlsx\n\n### Sheet: Orders\n\n```csv\nid,name" in str(found.output)
    assert "# System\n\nBe kind." in str(found.output)


# -- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        (".xlsx", b"PK\x03\x04 no"), (".docx", b""), (".xlsx", packed(a="<a/>")), (".docx", packed(word__document="<a")),
        (".png", b"\x89PNG"), (".jpg", b"\xff\xd8\xff" + b"\xff" * 50), (".gif", b"GIF89a"), (".webp", b"RIFF"),
        (".xlsx", book("<row r='1'><c r='A1' t='s'><v>99</v></c></row>")),
        (".xlsx", book("<row r='1'><c r='A1'><v>x</v></c></row>")),
        (".docx", b"x" * (4 * 2**20 + 1)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_words(ending: str, data: bytes) -> None:
    with pytest.raises(Unreadable) as problem:
        text_of(f"a{ending}", ending, data)
    assert 10 < len(str(problem.value)) < 200


def test_a_file_that_cannot_be_read_is_a_problem_of_its_prompt_at_its_place() -> None:
    found = compiled("context: [a.xlsx]", a_xlsx=b"no")
    assert [(one.line, one.severity) for one in found.problems] == [(5, "error")]
    assert "no .xlsx file" in found.problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="utf-16"?><a/>',
    ],
)
def test_entities_and_other_files_are_not_read(text: str) -> None:
    with pytest.raises(Unreadable):
        text_of("a.docx", ".docx", packed(word__document=text))


def test_a_bomb_is_not_unpacked() -> None:
    data = packed(word__document=" " * (60 * 2**20))
    assert len(data) < 100_000
    tracemalloc.start()
    with pytest.raises(Unreadable, match="too large"):
        text_of("a.docx", ".docx", data)
    assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("at", ["XFD1048576", "A1048576"])
def test_a_cell_far_away_does_not_make_a_sheet_of_empty_ones(at: str) -> None:
    with pytest.raises(Unreadable, match="more than"):
        text_of("a.xlsx", ".xlsx", book(f'<row r="1"><c r="{at}"><v>1</v></c></row>'))
    wide = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    with pytest.raises(Unreadable, match="more than"):
        text_of("a.xlsx", ".xlsx", book('<row r="1"><c r="A1"><v>1</v></c></row>', more=wide))


@settings(deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([".xlsx", ".docx", ".png", ".jpg", ".gif", ".webp"]),
    st.integers(0, 900),
)
def test_any_bytes_are_read_or_refused(junk: bytes, ending: str, at: int) -> None:
    whole = {".xlsx": book(), ".docx": letter("<w:p/>")}.get(ending, png())
    for data in (junk, whole[:at] + junk + whole[at + len(junk) :], whole[:8] + junk):
        with suppress(Unreadable):
            assert isinstance(text_of(f"a{ending}", ending, data), str)


def test_many_prompts_that_read_a_document_are_work_for_an_import() -> None:
    files = {
        f"prompts/p{number}.prmd": HEAD.format(more="context: [a.docx]", body="x").encode()
        for number in range(120)
    }
    files["prompts/a.docx"] = letter(f"<w:p>{' ' * 200_000}</w:p>")
    report, before = Report(), spent.work
    promptlint.check_all(files, sorted(path for path in files if path.endswith(".prmd")), report)
    assert spent.work - before < 2 * promptlint.MAX_WORK
    assert any("not checked" in one.message for one in report.problems())


def test_the_documents_of_one_prompt_have_a_bound_together() -> None:
    large = letter(f"<w:p>{' ' * 2_000_000}</w:p>")
    found = compiled("context: [a.docx, b.docx, c.docx]", a_docx=large, b_docx=large, c_docx=large)
    assert "too large together" in found.problems[0].message
    assert compiled("context: [a.docx]", a_docx=large).problems == ()  # another prompt begins anew


def test_many_sheets_count_together() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        sheets = "".join(f'<sheet name="s{n}" r:id="r1"/>' for n in range(90))
        file.writestr("xl/workbook.xml", f"<workbook {SHEET} {OFFICE}><sheets>{sheets}</sheets></workbook>")
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships {LINKS}><Relationship Id="r1" Target="a.xml"/></Relationships>',
        )
        file.writestr("xl/a.xml", f"<worksheet {SHEET}>{' ' * 2_000_000}</worksheet>")
    found = compiled("context: [a.xlsx]", a_xlsx=made.getvalue())
    assert "too large together" in found.problems[0].message


def test_a_document_is_not_included_while_a_prompt_is_rendered() -> None:
    files = {
        "prompts/a.prmd": HEAD.format(more="", body='{% include "b.docx" %}').encode(),
        "prompts/b.docx": letter("<w:p/>"),
    }
    before = spent.work
    found = compile_prompt(files, "prompts/a.prmd", {})
    assert found.has_errors
    assert spent.work == before
