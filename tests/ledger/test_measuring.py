import pytest

from portal.ledger import measuring, sealing, services
from portal.ledger.models import Entry

pytestmark = pytest.mark.django_db


def test_measuring_says_what_the_log_costs_and_leaves_nothing_behind(write):
    write(30)
    sealing.seal()
    figures = measuring.figures(appends=5)
    assert figures["entries"] == Entry.objects.count() == 31
    assert min(figures.values()) > 0
    assert services.verify() == (31, None)


def test_a_log_that_is_not_sealed_yet_can_be_measured(write):
    write(2)
    assert measuring.figures(appends=1)["proof_ms"] == 0
