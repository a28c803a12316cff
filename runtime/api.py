"""REST of the runtime floor: one router for each subject."""

from ninja import Router

from runtime.api_bundles import router as bundles
from runtime.api_checks import router as checks
from runtime.api_contracts import router as contracts
from runtime.api_estimate import router as estimates
from runtime.api_flowruns import router as flowruns
from runtime.api_flows import router as flows
from runtime.api_flowstate import router as flowstate
from runtime.api_goals import router as goals
from runtime.api_interceptors import router as interceptors
from runtime.api_logs import router as logs
from runtime.api_runs import router as runs
from runtime.api_triggers import router as triggers

router = Router()
for subject in (
    bundles,
    checks,
    contracts,
    interceptors,
    estimates,
    flows,
    flowruns,
    flowstate,
    triggers,
    runs,
    logs,
    goals,
):
    router.add_router("", subject)
