from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from portal.ledger import guards, services
from portal.ledger.models import Entry
from tests.ledger.checker import checked  # noqa: F401 - a fixture


@pytest.fixture
def write(db) -> Callable[..., list[Entry]]:
    """Write so many Entries in one transaction."""

    def go(count: int = 3, verb: str = "test.done") -> list[Entry]:
        with transaction.atomic():
            return [
                services.append(verb=verb, actor="system:test", subject="system:test", body={"n": n})
                for n in range(count)
            ]

    return go


@pytest.fixture
def without_guards(db) -> Iterator[None]:
    """Somebody with the database in hand can lift the guards; verification has to see what they did."""
    guards.lift(connection)
    yield
    guards.install(connection)
