"""The one error that doors answer with, as application/problem+json (RFC 9457)."""

from collections.abc import Iterable, Mapping
from typing import Any

TITLES = {
    400: "Bad request",
    401: "Who is asking?",
    402: "Not enough credits",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not in this form",
    408: "Took too long to arrive",
    409: "Conflict",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Unsupported content type",
    422: "Cannot be processed",
    428: "If-Match is needed",
    429: "Too many requests",
    499: "Cancelled",
    501: "Not available here",
    502: "The function failed",
    503: "Not available now",
    504: "Took too long",
    507: "No room left",
}


class ApiError(Exception):
    """A refusal with a status; ``errors`` are dictionaries of file, line, column, message, hint."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or TITLES.get(status, ""))
        self.status = status
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})

    @property
    def title(self) -> str:
        return TITLES.get(self.status, "Error")

    def body(self) -> dict[str, Any]:
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "errors": self.errors,
        }
