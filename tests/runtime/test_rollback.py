"""What a failed run wrote is gone, however it failed: by its answer, or by that of a function it called."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from runtime.kv import Space
from tests.runtime import stage
from tests.runtime.test_sensors import fire, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

FUNCTIONS = ["error", "unavailable", "refusal", "junk", "caller", "writing_caller", "kept"]
INTENTS = """
  - {name: all, whenSensor: atomic, toFunc: 'wasm:refuser:writing_caller', primitiveIntent: transaction}
  - {name: some, whenSensor: loose, toFunc: 'wasm:refuser:writing_caller', primitiveIntent: workflow}
"""


@pytest.fixture
def bundle(alice, clean_redis):
    routes = {f"POST_{name}": f"wasm:refuser:{name}" for name in FUNCTIONS}
    return stage.run_bundle(alice, stage.bundle_files("r", ["refuser"], INTENTS, **routes))


@pytest.fixture
async def call(alice, clean_redis):
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


async def kept(call) -> int:
    return int((await call("POST", "/alice/api/r/kept", {})).json())


@pytest.mark.parametrize(
    ("function", "status"), [("error", 502), ("unavailable", 503), ("junk", 502), ("caller", 200)]
)
async def test_writes_of_a_failed_run_or_call_are_dropped(call, bundle, function, status):
    assert (await call("POST", f"/alice/api/r/{function}", {})).status == status
    assert await kept(call) == 0


async def test_a_refusal_is_the_function_doing_its_work_and_keeps_its_writes(call, bundle):
    assert (await call("POST", "/alice/api/r/refusal", {})).status == 402
    assert await kept(call) == 1


@pytest.mark.parametrize(("sensor", "status", "written"), [("atomic", "error", 0), ("loose", "success", 1)])
def test_a_transaction_falls_with_a_call_that_answers_an_error(
    alice,
    bundle,
    work,  # noqa: F811
    sensor,
    status,
    written,
):
    run = fire(alice, bundle, sensor, {}).json()["executions"][0]
    work()
    assert alice.api.get(f"/api/executions/{run}").json()["status"] == status
    names = async_to_sync(Space.of(alice.tenant.pk, bundle.pk).names)("")
    assert len(names) == written


async def test_attempts_that_others_spoil_are_not_on_the_contract(alice, clean_redis, call, monkeypatch):
    files = stage.bundle_files(
        "c", ["counter"], extra="resourceContract: {computeUnits: 1}\n", POST_n="wasm:counter:run"
    )
    await sync_to_async(stage.run_bundle)(alice, files)
    real, spoiled = Space.commit, []

    async def commit(self, id, reads, writes, lists=()):
        if "n" in writes and len(spoiled) < 7:  # each attempt takes a quarter of the unit
            spoiled.append(str(10 * len(spoiled)).encode())
            await real(self, f"other-{len(spoiled)}", {}, {"n": spoiled[-1]}, lists)
        return await real(self, id, reads, writes, lists)

    monkeypatch.setattr(Space, "commit", commit)
    answer = await call("POST", "/alice/api/c/n", {})
    assert (answer.status, answer.json(), answer.headers["x-compute-units"]) == (200, 61, "1")
