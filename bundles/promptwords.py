"""The words of a .docx file, paragraph by paragraph; standard library only."""

from xml.etree.ElementTree import Element

from bundles.promptdocuments import Package

MAIN = "word/document.xml"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
SIGNS = {
    f"{W}tab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "‑",
    f"{W}softHyphen": "\u00ad",
}


class Words:
    """Gathers them while the file is read: paragraphs within others come first."""

    def __init__(self) -> None:
        self.paragraphs: list[str] = []
        self.open: list[list[str]] = []
        self.runs = self.choices = 0

    def begins(self, tag: str) -> None:
        if tag == f"{W}p":
            self.open.append([])
        elif tag == f"{W}r":
            self.runs += 1
        elif tag == CHOICE:  # newer programs read this; the same stands beside it for all others
            self.choices += 1

    def ends(self, element: Element) -> None:
        tag = element.tag
        if tag == f"{W}p":
            text = "".join(self.open.pop())
            if not self.choices:
                self.paragraphs.append(text)
        elif tag == f"{W}r":
            self.runs -= 1
        elif tag == CHOICE:
            self.choices -= 1
        elif self.runs and self.open and not self.choices:
            self.open[-1].append((element.text or "") if tag == f"{W}t" else SIGNS.get(tag, ""))
        element.clear()


def read(name: str, data: bytes) -> str:
    words = Words()
    for event, element in Package(data).events(MAIN):
        if event == "start":
            words.begins(element.tag)
        else:
            words.ends(element)
    return "".join(f"{one}\n\n" for one in words.paragraphs)
