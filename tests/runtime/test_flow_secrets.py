"""Secrets that only a flow names: its nodes get them, modules of the bundle do not."""

from typing import Any

from billing import secrets
from bundles import deploy as asking
from bundles import store
from runtime import deploy
from tests.runtime import flowstage

FLOW = """
llm: {backends: [{provider: openai, api_key_env: llm_key}]}
listeners:
  - name: ask
    handler: builtin:http
    with: {url: "https://example.org", headers: {authorization: "Bearer ${secret.rates}", x: '${secret["other"]}'}}
"""


def test_a_flow_gets_what_it_names_and_modules_what_the_bundle_lists(alice: Any) -> None:
    for name in ("llm_key", "rates", "other", "listed", "unnamed"):
        secrets.put(alice.tenant, name, name.encode(), [])
    files = flowstage.files("secrets: [listed]\n", f=FLOW)
    bundle = store.import_files(alice.email, alice.tenant, files).bundle
    asking.ask_run(alice.email, bundle)
    deploy.start(bundle.pk)
    bundle.refresh_from_db()
    live = deploy.made(bundle, alice.tenant)
    assert live
    assert set(live.secrets) == set(live.bound) == {"llm_key", "rates", "other", "listed"}
    assert set(live.granted) == {"listed"}
    assert b"rates" in live.masks
