"""/api/bundles/{id}/tests: run the declared tests of the newest revision."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from ninja import Router

from billing.audit import record
from billing.door import Asked, Door
from billing.throttle import demand
from bundles.models import Bundle
from bundles.store import newest
from runtime import bundle_verbs as verbs
from runtime import promptchecks
from runtime.checks import CheckResult, run_checks

router = Router(tags=["bundles"])
RUNS_A_MINUTE = 20


@router.post("/bundles/{uuid:id}/tests", auth=Door("call"))
def tests(request: Asked, id: UUID) -> dict[str, Any]:
    """On an empty state that is deleted afterwards; what runs is not touched, and nothing enters the history."""
    return summary(asked(request, verbs.bundle_of(request.who, id)))


def asked(request: Any, bundle: Bundle) -> list[CheckResult]:
    """Run them for REST and page alike; 429 when they are asked for too often."""
    demand(f"tests:{bundle.tenant_id}", RUNS_A_MINUTE, 60)
    revision = newest(bundle)
    results = run_checks(bundle, revision) + promptchecks.of_revision(revision)
    failed = sum(not one.passed for one in results)
    record(request, "bundle.test", bundle.name, revision=bundle.revision, tests=len(results), failed=failed)
    return results


def summary(results: list[CheckResult]) -> dict[str, Any]:
    passed = sum(one.passed for one in results)
    items = [asdict(one) for one in results]
    return {"items": items, "passed": passed, "failed": len(results) - passed}
