"""Files that may become a revision: read, judged, with every problem found, before anything is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from billing.errors import ApiError
from billing.models import Tenant
from bundles import binaries, checks, files
from bundles.archive import ArchiveRefused, check_files
from bundles.binaries import Inspected
from bundles.bundle import Definition
from bundles.flowrows import files_of
from bundles.limits import Listing
from bundles.promptfront import Diagnostic
from bundles.resolve import load_for
from bundles.values import Problem

Contents = Mapping[str, bytes]
ProblemJson = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a set of files means."""

    contents: Contents
    listing: Listing
    definition: Definition
    inspected: Inspected
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> bool:
        """Whether something is wrong beside flows and prompts: a faulty one is kept, nothing else suffers."""
        flows = files_of(self.definition)
        return any(
            problem.severity == "error" and problem.file not in flows and not isinstance(problem, Diagnostic)
            for problem in self.problems
        )

    def json(self) -> list[ProblemJson]:
        return [asdict(problem) for problem in self.problems]


def draft(tenant: Tenant, contents: Contents) -> Draft:
    """Judge the files of a bundle; 422 when their names or sizes cannot be accepted at all."""
    try:
        check_files(contents)
    except ArchiveRefused as refused:
        raise unacceptable(refused) from None
    inspected = binaries.inspect(contents)
    definition = load_for(tenant, contents, inspected)
    return Draft(
        contents=contents,
        listing={path: (files.digest(data), len(data)) for path, data in sorted(contents.items())},
        definition=definition,
        inspected=inspected,
        problems=ordered(
            definition.problems, inspected.problems, checks.read(contents, definition.services).problems
        ),
    )


def ordered(*groups: Iterable[Problem]) -> tuple[Problem, ...]:
    """Errors first, then by place."""
    found = {problem for group in groups for problem in group}
    return tuple(sorted(found, key=lambda p: (p.severity, p.file, p.line, p.column, p.message)))


def unacceptable(refused: ArchiveRefused) -> ApiError:
    problem = Problem("error", refused.entry, 1, 1, refused.reason)
    return ApiError(422, str(refused), errors=[asdict(problem)])


def refusal(found: Draft) -> ApiError:
    """The answer for files that cannot be imported: every problem, the errors first."""
    count = sum(problem.severity == "error" for problem in found.problems)
    word = "an error" if count == 1 else f"{count} errors"
    return ApiError(422, f"The bundle has {word}; nothing was imported.", errors=found.json())
