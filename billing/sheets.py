"""One page of a long list, with what was searched for: lists of people hold hundreds of rows."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

ROWS = 50
LONGEST = 100
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[M]):
    """`whole` counts without the search; a search field is worth its room only for more than a page."""

    page: "Page[M]"
    q: str
    whole: int

    @property
    def rows(self) -> list[M]:
        return list(self.page.object_list)

    @property
    def searchable(self) -> bool:
        return self.whole > ROWS or self.q != ""

    @property
    def before(self) -> str:
        return self.address(self.page.number - 1) if self.page.has_previous() else ""

    @property
    def after(self) -> str:
        return self.address(self.page.number + 1) if self.page.has_next() else ""

    def address(self, number: int) -> str:
        given: dict[str, Any] = {"q": self.q} if self.q else {}
        return "?" + urlencode(given | {"page": number})


def sheet(request: HttpRequest, rows: "QuerySet[M]", *columns: str) -> Sheet[M]:
    """The page that the address names, or the nearest that exists, of the rows whose columns contain the search."""
    q = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    contains = Q()
    for column in columns:
        contains |= Q(**{f"{column}__icontains": q})
    whole = rows.count()
    found = rows.filter(contains) if q else rows
    return Sheet(Paginator(found, ROWS).get_page(request.GET.get("page")), q, whole)
