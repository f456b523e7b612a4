"""Holds: what they hold, who may make and lift them, and that nothing takes away what is held."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import holding as rules
from archive import services
from archive.holding import Holds, Part, Terms
from archive.models import Hold, Message, MessageText, Participant, SetAside, Source
from archive.services import holding
from archive.services.holding import Criteria, held_among, messages_of
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, OTHER_CLIENT, ROOM, words_of
from tests.archive.keeping import NOW, hold, ms, old

pytestmark = pytest.mark.django_db
DAY = date(2019, 5, 4)


@pytest.fixture
def officer(two_officers):
    return two_officers[0]


@pytest.fixture
def talk(offices, run_import, write_feed):
    """Six messages of 2019 and 2020, by number."""
    run_import(
        write_feed(
            [
                old(1, DAY),
                old(2, DAY, to=(CLIENT,)),
                old(3, DAY, sender="hk.lee", to=("us.smith", CLIENT), roomid=ROOM),
                old(4, date(2020, 5, 4), sender=CLIENT, to=("hk.lee",)),
                old(5, date(2020, 5, 4), sender="us.smith", to=("cn.wang",)),
                old(6, date(2020, 5, 5), sender="former.one", to=("us.smith",)),
            ]
        )
    )


def seqs(**criteria) -> list[int]:
    return sorted(messages_of(Criteria(**criteria)).values_list("seq", flat=True))


def test_a_hold_holds_what_meets_every_criterion(talk, offices):
    lee, smith = offices["hk.lee"], offices["us.smith"]
    assert seqs(employee=lee) == [1, 3, 4]
    assert seqs(contact=CLIENT) == [2, 3, 4]
    assert seqs(contact=CLIENT.swapcase()) == [2, 3, 4]
    assert seqs(room=ROOM) == [3]
    assert seqs(first_on=DAY, last_on=DAY) == [1, 2, 3]
    assert seqs(first_on=date(2020, 5, 4)) == [4, 5, 6]
    assert seqs(last_on=date(2020, 5, 4)) == [1, 2, 3, 4, 5]
    assert seqs(employee=lee, contact=CLIENT) == [3, 4]
    assert seqs(employee=lee, contact=CLIENT, last_on=DAY) == [3]
    assert seqs(employee=smith, room=ROOM) == [3]
    assert seqs(employee=smith, contact=OTHER_CLIENT) == []


def test_the_days_of_a_hold_are_the_firms(talk):
    assert seqs(first_on=DAY + timedelta(1)) == [4, 5, 6]
    Message.objects.filter(seq=1).update(sent_at=datetime(2019, 5, 4, 15, 59, 59, tzinfo=UTC))  # 23:59 in Shanghai
    Message.objects.filter(seq=2).update(sent_at=datetime(2019, 5, 4, 16, 0, tzinfo=UTC))
    assert 1 not in seqs(first_on=DAY + timedelta(1))
    assert 2 in seqs(first_on=DAY + timedelta(1))


def test_what_came_before_the_handle_was_matched_is_held_by_the_person(talk, make_employee):
    person = make_employee(wecom_userid="former.one")
    services.sync_identities(by="system:test")
    Participant.objects.filter(handle="former.one").update(kind="unknown", employee=None)
    assert seqs(employee=person) == [6]
    assert list(held_among(Message.objects.values_list("pk", flat=True), holds_of(employee=person))) == [
        Message.objects.get(seq=6).pk
    ]


def holds_of(**criteria) -> Holds:
    return Holds({"one": Criteria(**criteria).terms()})


MOMENTS = st.none() | st.integers(0, 72).map(lambda hours: datetime(2019, 5, 3, tzinfo=UTC) + timedelta(hours=hours))
PEOPLE = ["hk.lee", "us.smith", "stranger", CLIENT, OTHER_CLIENT]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(
        st.tuples(MOMENTS, st.sampled_from(["", ROOM, "wrOther"]), st.sets(st.sampled_from(PEOPLE), min_size=1)),
        min_size=1,
        max_size=6,
    ),
    who=st.sampled_from([None, "hk.lee", "us.smith"]),
    room=st.sampled_from(["", ROOM]),
    contact=st.sampled_from(["", CLIENT]),
    first=st.none() | st.dates(date(2019, 5, 3), date(2019, 5, 6)),
    days=st.none() | st.integers(0, 2),
)
def test_the_database_and_the_rule_hold_the_same(talk, offices, messages, who, room, contact, first, days):
    with transaction.atomic():
        pattern = Message.objects.filter(seq=1).first()
        Message.objects.exclude(pk=pattern.pk).delete()
        Participant.objects.filter(message=pattern).delete()
        for number, (sent_at, where, handles) in enumerate(messages):
            if number:
                pattern.pk, pattern.seq, pattern.msgid, pattern.leaf = None, None, f"m{number}", 10 + number
            pattern.sent_at, pattern.room = sent_at, where
            pattern.save()
            for handle in handles:
                employee = offices.get(handle)
                Participant.objects.create(
                    message=pattern,
                    role="r",
                    handle=handle,
                    handle_folded=handle.casefold(),
                    kind="employee" if employee else "contact" if handle in (CLIENT, OTHER_CLIENT) else "unknown",
                    employee=employee,
                    sent_at=sent_at,
                )
        last = first + timedelta(days) if first and days is not None else None
        criteria = Criteria(offices[who] if who else None, room, contact, first, last)
        if criteria != Criteria():
            by_database = set(messages_of(criteria).values_list("pk", flat=True))
            holds = Holds({"one": criteria.terms()})
            assert set(held_among(Message.objects.values_list("pk", flat=True), holds)) == by_database
        transaction.set_rollback(True)


@given(
    terms=st.dictionaries(
        st.sampled_from("abcdef"),
        st.builds(
            Terms,
            employee=st.none() | st.integers(1, 3),
            handles=st.frozensets(st.sampled_from(["x", "y"])),
            room=st.sampled_from(["", "r"]),
            contact=st.sampled_from(["", "c"]),
            begins=MOMENTS,
            ends=MOMENTS,
        ),
    ),
    part=st.builds(
        Part,
        sent_at=MOMENTS,
        room=st.sampled_from(["", "r", "s"]),
        employees=st.sets(st.integers(1, 3)),
        handles=st.sets(st.sampled_from(["x", "y", "c", "d"])),
        strangers=st.just(set()),
    ),
    strangers=st.sets(st.sampled_from(["x", "y"])),
)
def test_many_holds_at_once_say_what_each_says_alone(terms, part, strangers):
    part.strangers, part.handles = strangers, part.handles | strangers
    assert Holds(terms).on(part) == sorted(name for name, one in terms.items() if rules.meets(one, part))


def test_making_and_lifting_are_noted_and_nothing_is_deleted(talk, offices, two_officers):
    maker, lifter = two_officers
    made = hold(maker, employee=offices["hk.lee"], contact=CLIENT, first_on=DAY)
    entry = Entry.objects.get(verb="archive.hold_made")
    body = ledger.body_of(entry)
    assert (entry.actor, entry.subject) == (maker.uid, offices["hk.lee"].uid)
    assert (body["hold"], body["reason"], body["messages"], body["contact"]) == (
        made.uid,
        "asked by counsel",
        2,
        CLIENT,
    )
    services.lift_hold(hold=made, reason="the matter is closed", by=lifter)
    made.refresh_from_db()
    assert (made.lifted_by, made.lifted_why, made.is_active) == (lifter, "the matter is closed", False)
    entry = Entry.objects.get(verb="archive.hold_lifted")
    assert (entry.actor, ledger.body_of(entry)["reason"]) == (lifter.uid, "the matter is closed")
    with pytest.raises(services.AlreadyLifted):
        services.lift_hold(hold=made, reason="again", by=lifter)
    assert not holding.active_holds()


def test_a_hold_needs_a_criterion_a_reason_and_a_name_of_its_own(talk, officer):
    with pytest.raises(services.NothingHeld):
        hold(officer)
    with pytest.raises(services.ReasonMissing):
        hold(officer, reason="  ", room=ROOM)
    made = hold(officer, room=ROOM)
    services.lift_hold(hold=made, reason="done", by=officer)
    with pytest.raises(services.NameTaken):
        hold(officer, contact=CLIENT)
    with pytest.raises(services.ReasonMissing):
        services.lift_hold(hold=hold(officer, name="Other", room=ROOM), reason="", by=officer)


def test_the_database_refuses_a_hold_on_nothing(officer):
    with pytest.raises(IntegrityError, match="archive_hold_holds_something"):
        Hold.objects.create(name="All", reason="why", made_by=officer, made_at=timezone.now())


@pytest.mark.parametrize("role", ["Auditor", "HR", None])
def test_others_neither_make_nor_lift(talk, officer, make_employee, role):
    other = make_employee(roles=(role,) if role else ())
    made = hold(officer, room=ROOM)
    with pytest.raises(PermissionDenied):
        hold(other, name="Mine", room=ROOM)
    with pytest.raises(PermissionDenied):
        services.lift_hold(hold=made, reason="why not", by=other)


def test_what_it_would_hold_is_counted_before_it_is_made(talk, offices, monkeypatch):
    criteria = Criteria(employee=offices["hk.lee"])
    assert services.count_held(criteria) == services.Count(messages=3, more=False, lines=0)
    monkeypatch.setattr(holding, "COUNTED", 2)
    assert services.count_held(criteria) == services.Count(messages=2, more=True, lines=0)
    assert not Hold.objects.exists()


def test_counting_uses_an_index_whatever_the_criterion(talk, offices):
    """A hold is counted on a page: the plan must never read all messages or all participants."""
    cases = [
        {"employee": offices["hk.lee"]},
        {"contact": CLIENT},
        {"room": ROOM},
        {"first_on": DAY, "last_on": DAY},
        {"employee": offices["hk.lee"], "contact": CLIENT, "room": ROOM, "first_on": DAY},
    ]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    for criteria in cases:
        plan = messages_of(Criteria(**criteria)).order_by().values("pk").explain()
        for bad in ("SCAN archive_message\n", "SCAN archive_participant\n", "Seq Scan"):
            assert bad not in f"{plan}\n", (criteria, plan)


# --- words and lines -------------------------------------------------------------------------------------------------


@pytest.fixture
def flagged(offices, run_import, write_feed):
    """Two messages with kept words whose time is over, and a line that could not be read."""
    with time_machine.travel(NOW):
        run_import(
            write_feed(
                [
                    old(1, DAY, "加我个人微信聊", to=(CLIENT,)),
                    old(2, DAY, "加我个人微信聊", sender="hk.lee", to=(OTHER_CLIENT,)),
                    '{"seq": 3, "msg": ',
                ]
            )
        )
    MessageText.objects.update(delete_after=NOW)


LATER = NOW + timedelta(days=30)


def test_words_under_a_hold_outlive_their_time(flagged, officer):
    made = hold(officer, contact=CLIENT)
    assert services_text(LATER) == 1
    [text] = MessageText.objects.all()
    assert (text.message.seq, text.delete_after) == (1, LATER + timedelta(days=1))
    services.lift_hold(hold=made, reason="closed", by=officer)
    assert services_text(LATER) == 0  # looked at again a day later
    assert services_text(LATER + timedelta(days=2)) == 1


def services_text(now: datetime) -> int:
    from archive.services.judging import dispose_of_text

    return dispose_of_text(by="system:test", now=now)


@pytest.mark.parametrize(
    ("criteria", "stays"),
    [
        ({"contact": "wmNobodyWeHaveEverHeardOf00000001"}, True),  # whose the line is cannot be told
        ({"first_on": date(2019, 5, 4), "last_on": date(2019, 5, 4)}, True),
        ({"first_on": date(2019, 5, 5)}, True),  # a day on each side of what the file tells
        ({"first_on": date(2019, 5, 7)}, False),
        ({"last_on": date(2019, 5, 2)}, False),
        (None, False),
    ],
)
def test_a_line_that_could_not_be_read_is_held_by_every_hold_of_its_time(flagged, officer, criteria, stays):
    if criteria:
        made = hold(officer, **criteria)
        assert services.count_held(Criteria.of(made)).lines == stays
    services_text(LATER)
    assert (SetAside.objects.get().sealed is not None) is stays


def test_a_line_of_a_file_that_tells_no_time_may_be_of_any_time_before_it_was_read(
    offices, run_import, write_feed, officer
):
    with time_machine.travel(NOW):
        run_import(write_feed(['{"seq": 3, "msg": ']))
    made = hold(officer, first_on=NOW.date() + timedelta(days=2))
    assert services.count_held(Criteria.of(made)).lines == 0
    assert services.count_held(Criteria(last_on=date(2001, 1, 1))).lines == 1


def test_a_better_copy_does_not_take_held_words_away(offices, run_import, write_feed, settings, officer):
    """The WeCom copy of a message is kept rather than the one by mail; words that a hold holds stay."""
    settings.ARCHIVE_TEXT = "all"
    run_import(write_feed([old(1, DAY, "first words"), old(2, DAY, "second words")]), source="other")
    Source.objects.filter(name="other").update(kind="csv")
    hold(officer, first_on=DAY, last_on=DAY, employee=offices["hk.lee"])
    Participant.objects.filter(message__seq=2, employee=offices["hk.lee"]).delete()  # so the hold holds the first alone
    settings.ARCHIVE_TEXT = "none"
    run_import(write_feed([old(1, DAY, "first words"), old(2, DAY, "second words")]), source="wecom")
    assert set(Message.objects.values_list("source__name", flat=True)) == {"wecom"}
    assert [words_of(one) for one in MessageText.objects.all()] == ["first words"]


def test_a_hold_is_only_seen_by_compliance_and_auditors(officer, talk, make_employee):
    hold(officer, room=ROOM)
    seen = {role: Hold.objects.visible_to(make_employee(roles=(role,))).count() for role in ("HR", "Auditor", "Author")}
    assert seen == {"HR": 0, "Auditor": 1, "Author": 0}
    gone = make_employee(roles=("Compliance",), is_active=False)
    assert Hold.objects.visible_to(gone).count() == 0


def test_moments_of_the_sample_are_of_their_day():
    assert timezone.localtime(datetime.fromtimestamp(ms(DAY) / 1000, tz=UTC)).date() == DAY


def test_a_hold_on_a_person_keeps_what_the_evidence_log_says_about_them(talk, offices, officer, make_employee):
    """The ledger asks before it disposes of what Entries say: whoever ordered it, a hold beats it."""
    who, other = offices["uk.jones"], make_employee()
    with transaction.atomic():
        mine, theirs = (
            ledger.append(verb="test.done", actor="system:test", subject=one.uid, body={}) for one in (who, other)
        )
    order = {"rule": "R", "citation": "C", "by": "system:test", "asked_by": "a" * 32, "approved_by": "b" * 32}
    made = hold(officer, employee=who, last_on=date(2018, 3, 1))
    with pytest.raises(ledger.Held) as refused:
        ledger.dispose(seqs=[mine.seq, theirs.seq], **order)
    assert refused.value.seqs == {mine.seq}
    ledger.dispose(seqs=[theirs.seq], **order)
    services.lift_hold(hold=made, reason="closed", by=officer)
    assert len(ledger.dispose(seqs=[mine.seq], **order)) == 1
