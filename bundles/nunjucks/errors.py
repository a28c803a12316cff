"""What goes wrong with a template: TemplateError for callers, Failure inside until its place is known."""


class TemplateError(ValueError):
    """A template that cannot be read or rendered. Lines and columns count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1, *, name: str = "") -> None:
        super().__init__(f"{name or 'template'}:{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column
        self.name = name


class Failure(Exception):
    """A fault while rendering; the statement that holds it adds the place on its way up."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.place: tuple[str, int, int] | None = None


class Exhausted(Failure):
    """A limit was reached."""
