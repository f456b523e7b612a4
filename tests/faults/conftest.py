"""These tests stand on the very database and broker of the processes that they start, not on one of pytest's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.faults.firm import Firm
from tests.faults.house import House


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(autouse=True)
def site() -> None:
    """Nothing is another one here than in the processes."""


@pytest.fixture(autouse=True)
def bells() -> None:
    """What is rung is rung."""


@pytest.fixture(scope="session", autouse=True)
def redis_of_ones_own() -> None:
    """The processes share theirs with us."""


@pytest.fixture(scope="session", autouse=True)
def real_database(django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture(scope="session")
def firm(real_database) -> Firm:
    return Firm.make()


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    assert "faults" in Path(settings.DATA_DIR).name, "run by bin/test-faults: it makes what is stopped and filled here"
    made = House(tmp_path)
    yield made
    made.end()
    connection.close()
