"""Files that a prompt refers to: found inside the bundle and nowhere else, and read as text."""

import threading
from collections.abc import Mapping as Map
from dataclasses import dataclass

MAX_BYTES = 10 * 1024 * 1024
MAX_TEXT = 1024 * 1024  # characters of one file
MAX_PATH = 500
LANGUAGES = {
    ".ts": "typescript", ".tsx": "typescript", ".js": "javascript", ".jsx": "javascript",
    ".mjs": "javascript", ".cjs": "javascript", ".py": "python", ".pyw": "python", ".go": "go",
    ".rs": "rust", ".java": "java", ".kt": "kotlin", ".kts": "kotlin", ".c": "c", ".h": "c",
    ".cpp": "cpp", ".hpp": "cpp", ".cc": "cpp", ".cs": "csharp", ".rb": "ruby", ".php": "php",
    ".swift": "swift", ".sh": "bash", ".bash": "bash", ".zsh": "zsh", ".fish": "fish", ".sql": "sql",
    ".html": "html", ".htm": "html", ".css": "css", ".scss": "scss", ".sass": "sass", ".less": "less",
    ".xml": "xml", ".svg": "xml", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml",
    ".csv": "csv",
}  # fmt: skip
# Other names by which the same code is fenced.
ALSO = {
    ".ts": ("ts",), ".tsx": ("tsx", "ts"), ".js": ("js",), ".jsx": ("jsx", "js"), ".mjs": ("js",),
    ".cjs": ("js",), ".py": ("py",), ".pyw": ("py",), ".go": ("golang",), ".rs": ("rs",), ".kt": ("kt",),
    ".kts": ("kt",), ".h": ("h",), ".cpp": ("c++", "cxx"), ".hpp": ("c++", "hpp"), ".cc": ("c++",),
    ".cs": ("cs", "c#"), ".rb": ("rb",), ".sh": ("sh", "shell"), ".bash": ("sh", "shell"),
    ".zsh": ("sh", "shell"), ".html": ("htm",), ".htm": ("htm",), ".scss": ("sass",), ".sass": ("scss",),
    ".yaml": ("yml",), ".yml": ("yml",), ".svg": ("svg",), ".md": ("markdown", "md"),
    ".mdx": ("mdx", "markdown", "md"),
}  # fmt: skip
DOCUMENTS = frozenset({".xlsx", ".docx", ".png", ".jpg", ".jpeg", ".gif", ".webp"})
BINARY = frozenset({".xls", ".doc", ".pdf", ".zip", ".pptx", ".odt", ".ods"})


class Spent(threading.local):
    """What this thread has spent on documents, in characters of a text: whoever reads many prompts counts it as work."""

    work = 0
    until = 400_000

    def begin(self) -> None:
        """Another prompt, with a bound of its own."""
        self.until = self.work + MAX_SPENT

    def add(self, work: int) -> None:
        self.work += work
        if self.work > self.until:
            raise FileFault("is one document too many: those of this prompt are too large together")


DOCUMENT, BYTES = 1_000, 8  # for each document, and for so many bytes of it one more
MAX_SPENT = 400_000  # of one prompt: about a second
spent = Spent()


class FileFault(Exception):
    """A file that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of a bundle, seen from one folder."""

    files: Map[str, bytes]
    folder: str

    def path(self, written: str, *, within: str = "") -> str:
        """The bundle path that is meant; ``within`` is a folder that must not be left."""
        if not written or len(written) > MAX_PATH or not written.isprintable():
            raise FileFault("is not a path")
        if "://" in written:
            raise FileFault("is a URL; it must be a file of the bundle")
        if "\\" in written or written.startswith("/") or written[1:2] == ":":
            raise FileFault("must be relative, written with /")
        parts = joined(self.folder, written)
        if parts is None:
            raise FileFault("leaves the bundle folder")
        found = "/".join(parts)
        if within and not found.startswith(within + "/"):
            raise FileFault("leaves the folder of its package")
        return found

    def find(self, written: str, *, within: str = "") -> str:
        """The same, of a file that is there."""
        found = self.path(written, within=within)
        if found not in self.files:
            raise FileFault("is not in the bundle")
        return found

    def text(self, path: str) -> str:
        """The text of a file at its bundle path; a long one is cut."""
        if suffix(path) in BINARY | DOCUMENTS:
            raise FileFault(f"is a {suffix(path)[1:]} file, which cannot be read as text; export it as text")
        data = self.files[path]
        if len(data) > MAX_BYTES:
            raise FileFault(f"has {len(data)} bytes, the limit is {MAX_BYTES}")
        try:
            text = data.decode("utf-8-sig").replace("\0", "")
        except UnicodeDecodeError:
            raise FileFault("is not text in UTF-8") from None
        return cut(text)

    def excerpt(self, written: str) -> str:
        """What a reference is replaced by: the text, fenced when it is code or data."""
        path = self.find(written)
        if suffix(path) in DOCUMENTS:
            return cut(document(path, self.files[path]))
        text, language = self.text(path), LANGUAGES.get(suffix(path))
        return f"```{language}\n{text}\n```" if language else text


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n\n[Content truncated...]"


def document(path: str, data: bytes) -> str:
    """The text of a file that is none, by a reader that is loaded for it."""
    from bundles import promptdocuments

    spent.add(DOCUMENT)
    try:
        return promptdocuments.text_of(path.rpartition("/")[2], suffix(path), data)
    except promptdocuments.Unreadable as wrong:
        raise FileFault(str(wrong)) from None


def joined(folder: str, written: str) -> list[str] | None:
    """The parts of a path, None when it leads out of the bundle."""
    parts = [part for part in folder.split("/") if part]
    for part in written.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def languages(path: str) -> set[str]:
    """By which names the code of such a file may be fenced."""
    known = LANGUAGES.get(suffix(path))
    return {*ALSO.get(suffix(path), ()), *([known] if known else ())}
