"""Numbers that run against the time are another feed's: the import stops before they are stored, and a person says."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from archive import holes, services, tasks
from archive.models import Finding, Hole, Import, Message, Source
from archive.services import running
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import as_bytes, at, line

pytestmark = pytest.mark.django_db
JUNE, OCTOBER = at(1, month=6), at(16)
FIRST = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def ours(run_import, write_feed, make_employee) -> Source:
    """A source whose numbers begin at 418,001 on 1 June."""
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(418_001 + n, sent=JUNE + n * 1000) for n in range(5)], "ours.jsonl"))
    return Source.objects.get()


OTHERS = [line(n, sent=OCTOBER + n * 1000) for n in range(1, 6)]


def uploaded(source: Source, lines: list, by) -> Import:
    content = b"".join(as_bytes(one) + b"\n" for one in lines)
    run = services.start_upload(source=source, file=SimpleUploadedFile("others.jsonl", content), by=by)
    tasks.run_import(run.job_id)
    run.refresh_from_db()
    return run


def test_another_corporations_feed_is_told_before_a_row_is_stored(ours, officer):
    run = uploaded(ours, OTHERS, officer)
    assert (run.state, run.lines, run.is_ended) == ("asking", 0, False)
    asked = run.judging["numbering"]
    assert (asked["first"], asked["last"], asked["here"]) == (1, 5, 418_001)
    assert (Message.objects.count(), Hole.objects.count()) == (5, 0)
    assert not Finding.objects.filter(kind="hole").exists()
    ours.refresh_from_db()
    assert (ours.first_seq, ours.last_seq) == (418_001, 418_005)


def test_when_it_is_another_feeds_nothing_of_it_is_here_and_the_file_goes(ours, officer, sign_in, settings):
    run = uploaded(ours, OTHERS, officer)
    client, page = sign_in(officer), reverse("archive:import", args=[run.uid])
    told = client.get(page).text
    assert "Numbers and times run against each other" in told
    assert "1 to 5" in told
    answer = reverse("archive:import_numbering", args=[run.uid])
    client.post(answer, {"fits": "no", "reason": " "})
    run.refresh_from_db()
    assert run.state == "asking"
    client.post(answer, {"fits": "no", "reason": "it is the sample's"})
    run.refresh_from_db()
    assert (run.state, run.stored_file, Message.objects.count()) == ("failed", "", 5)
    assert "Begin a source for that feed" in client.get(page).text
    body = ledger.body_of(Entry.objects.get(verb="archive.numbering_answered"))
    assert (body["fits"], body["why"], body["first"]) == (False, "it is the sample's", 1)
    again = uploaded(services.get_source("sample"), OTHERS, officer)
    assert (again.state, again.stored) == ("done", 5)


def test_when_it_fits_it_is_read_on_from_where_it_stands(ours, officer, monkeypatch):
    monkeypatch.setattr(running, "BATCH_LINES", 2)
    ours_too = [line(418_010 + n, sent=JUNE + n * 1000) for n in range(2)]
    run = uploaded(ours, [*ours_too, *OTHERS], officer)
    assert (run.state, run.stored, Message.objects.count()) == ("asking", 2, 7)
    services.answer_numbering(run=run, fits=True, reason="they began anew", by=officer)
    tasks.run_import(Job.objects.order_by("-pk").filter(kind="archive.tasks.run_import").first().pk)
    run.refresh_from_db()
    assert (run.state, run.lines, run.stored) == ("done", 7, 7)
    assert Message.objects.count() == 12
    with pytest.raises(services.NotAsking):
        services.answer_numbering(run=run, fits=False, reason="no", by=officer)


def test_the_command_stops_says_where_to_answer_and_goes_on(ours, officer, run_import, write_feed):
    feed = write_feed(OTHERS)
    for _n in range(2):
        with pytest.raises(CommandError, match="seem to be another feed's"):
            run_import(feed)
    run = Import.objects.get(state="asking")
    assert run.label == feed.name
    services.answer_numbering(run=run, fits=True, reason="they began anew", by=officer)
    assert run_import(feed)["stored"] == 5
    assert Import.objects.count() == 2


@pytest.mark.parametrize(
    "lines",
    [
        [line(n, sent=JUNE - 10**9 + n * 1000) for n in range(1, 6)],  # older and lower: an older archive
        [line(500_000 + n, sent=OCTOBER + n * 1000) for n in range(5)],  # younger and higher: a hole
        [line(418_500 + n, sent=JUNE - 10**9) for n in range(5)],  # near: messages that waited on a telephone
        [line(1, sent=OCTOBER), line(2, sent=JUNE - 10**9)],  # not all of them run against the time
        [line(1, sent=JUNE + 3600_000)],  # within a day
        [line(418_002, sent=JUNE + 1000)],  # here already
        [line(500_000, sent=0)],  # nobody knows when
    ],
)
def test_what_can_belong_to_the_feed_is_never_asked_about(ours, officer, lines):
    assert uploaded(ours, lines, officer).state == "done"


def test_higher_numbers_that_are_much_older_are_asked_about(ours, officer):
    lines = [line(900_000 + n, sent=JUNE - 10**9 + n * 1000) for n in range(3)]
    assert uploaded(ours, lines, officer).state == "asking"


MOMENTS = st.integers(0, 10_000).map(lambda hours: FIRST[0] + timedelta(hours=hours))


@given(st.lists(st.tuples(st.integers(1, 10**6), MOMENTS), min_size=2, unique_by=lambda one: one[0]))
def test_numbers_that_rise_with_the_time_are_one_numbering(told):
    numbers, moments = sorted(number for number, _at in told), sorted(at for _number, at in told)
    one = list(zip(numbers, moments, strict=True))
    for cut in range(1, len(one)):
        assert holes.against_time(one[0], one[cut - 1], one[cut:]) == []
        assert holes.against_time(one[cut], one[-1], one[:cut]) == []


@given(st.lists(st.tuples(st.integers(1, 10**6), MOMENTS), min_size=1))
def test_only_what_lies_far_outside_is_ever_strange(told):
    first, last = (400_000, FIRST[0]), (500_000, FIRST[1])
    strange = holes.against_time(first, last, told)
    assert set(strange) <= {(n, at) for n, at in told if n < 400_000 - holes.FAR or n > 500_000 + holes.FAR}
