"""What a person says of a hole, and when numbers skip normally."""

from datetime import timedelta

import pytest
from django.utils import timezone

from archive import holes, services
from archive.models import Finding, Hole, Import, Message, Source
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import line


@pytest.mark.parametrize(
    ("missing", "numbers", "failed", "skips"),
    [
        (1, 1000, False, False),
        (2, 1000, False, True),
        (2, 1999, False, True),
        (2, 2000, False, False),
        (500, 1000, True, False),
    ],
)
def test_more_than_one_number_in_a_thousand_is_skipping_unless_a_pull_failed(missing, numbers, failed, skips):
    assert holes.skips_normally(missing, numbers, pulls_failed=failed) is skips


pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def source(run_import, write_feed) -> Source:
    run_import(write_feed([line(1), line(5), line(9)]))
    return Source.objects.get()


def settle(source: Source, decision: str, officer, reason: str = "asked Tencent", first: int = 2) -> Hole:
    return services.settle_hole(source=source, first=first, decision=decision, reason=reason, by=officer)


def test_asking_again_is_noted_and_the_finding_stays_open(source, officer):
    assert settle(source, "asked", officer, reason="").state == "asked"
    assert Finding.objects.open().filter(kind="hole").count() == 2
    told = ledger.body_of(Entry.objects.get(verb="archive.hole_settled"))
    assert told == {"source": "wecom", "numbers": [2, 4], "before": "suspected", "after": "asked", "reason": ""}


@pytest.mark.parametrize("decision", ["confirmed", "explained"])
def test_a_hole_that_is_settled_closes_its_finding_with_the_reason(source, officer, decision):
    settle(source, "asked", officer)
    settle(source, decision, officer)
    finding = Finding.objects.get(kind="hole", facts__first=2)
    assert (finding.state, finding.closed_why, finding.decided_by) == ("closed", "asked Tencent", officer)
    assert Finding.objects.get(kind="hole", facts__first=6).is_open
    for again in ("asked", "confirmed", "explained"):
        with pytest.raises(services.AlreadySettled):
            settle(source, again, officer)
    services.refresh_findings()
    assert Finding.objects.open().filter(kind="hole").count() == 1


def test_a_hole_is_settled_with_a_reason_and_by_what_can_be_said_of_it(source, officer):
    with pytest.raises(services.ReasonMissing):
        settle(source, "confirmed", officer, reason=" ")
    with pytest.raises(ValueError, match="suspected"):
        settle(source, "suspected", officer)
    with pytest.raises(Hole.DoesNotExist):
        settle(source, "asked", officer, first=3)
    assert not Entry.objects.filter(verb="archive.hole_settled").exists()


def test_what_is_left_of_a_hole_that_was_asked_for_is_asked_for_still(source, officer, run_import, write_feed):
    settle(source, "asked", officer)
    run_import(write_feed([line(3), line(7)], "some.jsonl"))
    states = dict(Hole.objects.values_list("first", "state"))
    assert states == {2: "asked", 4: "asked", 6: "suspected", 8: "suspected"}


def test_numbers_that_come_after_all_fill_a_hole_that_was_given_up(source, officer, run_import, write_feed):
    settle(source, "confirmed", officer)
    run_import(write_feed([line(2), line(3), line(4)], "late.jsonl"))
    assert list(Hole.objects.values_list("first", "last")) == [(6, 8)]


def test_a_source_that_skips_all_month_long_seems_to_skip(source):
    now = timezone.now()
    assert services.seems_to_skip(source, now=now) is False  # not a month yet
    Message.objects.update(sent_at=now - timedelta(days=3))
    Source.objects.update(first_sent_at=now - timedelta(days=40))
    source.refresh_from_db()
    assert services.seems_to_skip(source, now=now) is True
    Import.objects.update(state="failed")
    assert services.seems_to_skip(source, now=now) is False
    Import.objects.update(state="done")
    source.is_contiguous = False
    assert services.seems_to_skip(source, now=now) is False


def test_one_number_in_a_thousand_is_no_habit(run_import, write_feed):
    run_import(write_feed([line(n) for n in range(1, 1001) if n != 500]))
    now = timezone.now()
    Source.objects.update(first_sent_at=now - timedelta(days=40))
    Message.objects.update(sent_at=now - timedelta(days=3))
    assert services.seems_to_skip(Source.objects.get(), now=now) is False


def test_a_source_that_is_said_to_skip_has_no_open_holes(source, officer, run_import, write_feed):
    services.change_source(source=source, by=officer, is_contiguous=False)
    assert not Finding.objects.open().filter(kind="hole").exists()
    run_import(write_feed([line(20)], "more.jsonl"))
    assert Hole.objects.count() == 3
    assert not Finding.objects.open().filter(kind="hole").exists()
