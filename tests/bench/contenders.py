"""`python -m tests.bench.contenders N`: N tenants that bid and one that fills the queue, with their keys as JSON.

It uses the installation of PRIOSTACK_DATA_DIR, which is up.
"""

import io
import json
import sys
import tempfile
from pathlib import Path

import django

BIDDING = "resourceContract: {computeUnits: 1, maxWaitTime: 20s}\n"
FILLING = "resourceContract: {computeUnits: 25000, maxWaitTime: 60s}\n"


def tenant(name: str, bundle: Path, *, bids: bool) -> str:
    """Its key; the bundle runs."""
    from django.core.management import call_command

    from billing.models import Tenant
    from market.models import Bidding

    told = io.StringIO()
    call_command(
        "tenant", name, "--email", f"{name}@example.org", "--plan", "enterprise", "--json", stdout=told
    )
    if bids:
        mine = {"auto_bid": True, "bid_cap": 3}
        Bidding.objects.update_or_create(tenant=Tenant.objects.get(slug=name), defaults=mine)
    call_command("import", str(bundle), "--tenant", name, "--run", "--wait", "0", stdout=io.StringIO())
    return str(json.loads(told.getvalue())["api_key"])


def folder(home: str, name: str, module: str, contract: str) -> Path:
    from tests.runtime.stage import bundle_files

    files = bundle_files("shop", [module], extra=contract, **{f"POST_{module}": f"wasm:{module}:run"})
    for path, data in files.items():
        place = Path(home) / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return Path(home) / name


def main(count: int) -> None:
    django.setup()
    with tempfile.TemporaryDirectory() as home:
        light = folder(home, "light", "echo", BIDDING)
        heavy = folder(home, "heavy", "spin", FILLING)
        keys = {"heavy": tenant("heavy", heavy, bids=False)}
        keys |= {name: tenant(name, light, bids=True) for name in (f"t{n:03}" for n in range(count))}
    sys.stdout.write("\n" + json.dumps(keys) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
