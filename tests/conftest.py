import gc
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from hypothesis import HealthCheck
from hypothesis import settings as properties

from portal.ledger import guards
from portal.people import services as people
from portal.people.models import Department, Employee, Office
from tests import studying

numbers = count(1)
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server"}

# No test is timed, nor a property. `.ci/run` sets CI: there they try the same examples each time, so that a change is
# judged by what it changed. Elsewhere they go on looking for new ones.
properties.register_profile(
    "untimed", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
properties.load_profile("untimed")


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    """Leave what touches no database to `make test`: on another engine it would say the same again."""
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return
    asked = [one for one in items if one.get_closest_marker("django_db") or DATABASE_FIXTURES & set(one.fixturenames)]
    config.hook.pytest_deselected(items=[one for one in items if one not in set(asked)])
    items[:] = asked


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what has been loaded out of the collector's sight, and let it look less often: a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def site(settings, tmp_path) -> None:
    """A site of its own for every test: plain static files, memory for a cache, nothing rung, mail kept, in English."""
    # A page that an earlier test read in Chinese leaves its language behind in the thread.
    translation.activate("en")
    timezone.deactivate()
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "private", "base_url": None},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MEDIA_ROOT = settings.PRIVATE_DIR = tmp_path / "private"
    if not settings.REDIS_URL:  # `make test-services` has the real thing
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_BROKER_URL = "memory://"
    settings.SECURE_SSL_REDIRECT = False
    settings.SESSION_IDLE_MINUTES = 0  # many move the clock
    settings.LEDGER_KEY_FILE = str(tmp_path / "ledger-key.pem")
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def redis_of_ones_own() -> None:
    """Tests empty the cache: so every process of theirs has a database of its own in a Redis that they share."""
    if settings.REDIS_URL:
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
        told = settings.CACHES["default"]
        told["LOCATION"] = f"{told['LOCATION'].rsplit('/', 1)[0]}/{number}"
        with suppress(AttributeError):
            del caches["default"]  # which may have been made already, with the address that all share


@pytest.fixture(autouse=True)
def bells(monkeypatch) -> list[tuple[str, list]]:
    """What would have been told to the workers: (task name, args)."""
    rung: list[tuple[str, list]] = []

    def send_task(name: str, args=None, **kwargs) -> None:
        rung.append((name, list(args or [])))

    monkeypatch.setattr("celery.current_app.send_task", send_task, raising=False)
    return rung


@pytest.fixture(scope="session", autouse=True)
def emptied_test_database_may_lose_its_ledger() -> Iterator[None]:
    """Transactional tests empty every table afterwards; the ledger's guards would refuse that."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def lift_then_flush(self, sql_list) -> None:
        guards.lift(self.connection)
        flush(self, sql_list)
        guards.install(self.connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", lift_then_flush)
        yield


@pytest.fixture
def make_department(db) -> Callable[..., Department]:
    def make(name: str = "", **fields) -> Department:
        return Department.objects.create(name=name or f"Department {next(numbers)}", **fields)

    return make


@pytest.fixture
def make_office(db) -> Callable[..., Office]:
    def make(code: str = "", **fields) -> Office:
        code = code or f"office-{next(numbers)}"
        dull = {"name": code.title(), "time_zone": "Asia/Shanghai", "jurisdiction": "CN"}
        return Office.objects.create(code=code, **{**dull, **fields})

    return make


@pytest.fixture
def make_employee(db) -> Callable[..., Employee]:
    """Make an employee. ``manager`` puts the reporting line in order; ``roles`` names groups."""

    def make(*, manager: Employee | None = None, roles: tuple[str, ...] = (), **fields) -> Employee:
        from django.contrib.auth.models import Group

        n = next(numbers)
        dull = {"email": f"person{n}@example.com", "name_en": f"Person {n}", "employee_no": f"N{n:05}"}
        employee = Employee.objects.create(**{**dull, **fields})
        if manager:
            people.set_manager(employee=employee, manager=manager, by="system:test")
            employee.refresh_from_db()
        employee.groups.set([Group.objects.get(name=role) for role in roles])
        return Employee.objects.get(pk=employee.pk)

    return make


@pytest.fixture
def sign_in(db) -> Callable[[Employee], Client]:
    def go(employee: Employee) -> Client:
        client = Client()
        client.force_login(employee, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return go


@pytest.fixture
def count_queries(db) -> Callable[[Callable], int]:
    def measure(act: Callable) -> int:
        with CaptureQueriesContext(connection) as captured:
            act()
        return len(captured)

    return measure


@pytest.fixture
def study(db) -> Callable[[Employee], dict]:
    """Let a person go through the tiny course; return what then belongs to them."""

    def go(employee: Employee) -> dict:
        assignment = studying.assign(employee)
        attempt = studying.read_and_try(assignment, 1, right=False)
        certificate = studying.complete(assignment)
        return {
            "course": studying.SLUG,
            "module": "first",
            "lesson": "first-lesson",
            "attempt": attempt,
            "certificate": certificate,
        }

    return go
