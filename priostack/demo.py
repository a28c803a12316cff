"""The demo tenant: a login that is also the first administrator, a key, and the e-commerce bundle running."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from billing import access, keys
from billing.models import ApiKey, Tenant, User
from billing.provision import Provisioned, provision
from bundles import deploy as asking
from bundles import store
from bundles.definitions import contents_of
from bundles.folder import read_folder
from bundles.models import Bundle, Status
from runtime import deploy

SLUG = "demo"
EMAIL = "demo@example.org"
AUTHOR = "demo"
EXAMPLE = Path(settings.BASE_DIR) / "examples" / "ecommerce"


def demo() -> dict[str, str | None]:
    """Make what is missing; the login and the key, which a private file in the data directory remembers."""
    login = remembered()
    made = provision(SLUG, EMAIL, password=login.get("password"))
    User.objects.filter(pk=made.owner.pk).update(is_staff=True, is_superuser=True)
    shop(made.tenant)
    return remember(made, login)


def shop(tenant: Tenant) -> None:
    """Import the example (a repeat changes nothing) and run it; started here, so that no worker is needed."""
    files = read_folder(EXAMPLE)
    bundle = (
        present(tenant, files)
        or store.import_files(AUTHOR, tenant, files, message="The example", display_name="E-commerce").bundle
    )
    if bundle.status != Status.RUNNING or bundle.live_revision != bundle.revision:
        asking.ask_run(AUTHOR, bundle)
        deploy.start(bundle.pk)


def present(tenant: Tenant, files: Mapping[str, bytes]) -> Bundle | None:
    """The bundle whose newest revision has these files already."""
    mine = Bundle.objects.select_related("tenant").filter(tenant=tenant)
    return next((one for one in mine if contents_of(store.newest(one)) == files), None)


def remember(made: Provisioned, login: dict[str, str]) -> dict[str, str | None]:
    token = settings.DEMO_API_KEY or login.get("api_key") or made.api_key
    if token is None or access.of_token(token) is None:
        ApiKey.objects.filter(tenant=made.tenant, name="demo").delete()
        chosen = settings.DEMO_API_KEY
        token = keys.create(made.tenant, "demo", scopes=keys.OPERATOR, by=made.owner, token=chosen)[1]
    known = {**made.answer(), "password": made.password or login.get("password"), "api_key": token}
    write({key: value for key, value in known.items() if value})
    return known


def file() -> Path:
    return Path(settings.DATA_DIR) / "demo-login.json"


def remembered() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(file().read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def write(known: dict[str, str]) -> None:
    handle = os.open(file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        json.dump(known, out)
