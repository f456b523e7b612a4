"""Three years of one employee, as one story: joins, learns, moves, is away, leaves, comes back. Nothing is lost."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people import services as people
from portal.people.models import Employee
from portal.standing import services as standing
from portal.standing.models import Standing
from training import exempting, services
from training.models import Assignment, Completion, Lesson
from training.reasons import reason_of


class Diary:
    """The firm's clock: each morning the rules look at everybody, and the roof looks at what followed."""

    def __init__(self, clock) -> None:
        self.clock = clock

    def until(self, day: str) -> None:
        """Let the nights pass, one in four weeks and the last two before this day; stop on it at nine."""
        goal, now = date.fromisoformat(day), timezone.localdate()
        told = {now + timedelta(n) for n in range(1, (goal - now).days, 28)}
        for morning in sorted(told | {goal - timedelta(1), goal}):
            if morning > now:
                self.clock.move_to(datetime.combine(morning, time(9), ZoneInfo("Asia/Shanghai")))
                services.apply_rules(today=morning)
                standing.catch_up()


def cycles(wen: Employee) -> list[str]:
    rows = Assignment.objects.filter(employee=wen).order_by("cycle")
    return [f"{row.cycle}: due {row.due_on}, {row.ended_why or 'open'} {row.ended_on or ''}".strip() for row in rows]


def state(wen: Employee) -> str:
    return Standing.objects.get(employee=wen).training_state


@pytest.fixture
def diary():
    with time_machine.travel("2027-01-04T01:00:00Z", tick=False) as clock:
        yield Diary(clock)


def test_three_years_of_wen(diary, make_employee, make_office, make_edition, finish_lessons, complete_course):
    shanghai = make_office("sh", name="Shanghai")
    new_york = make_office("ny", name="New York", time_zone="America/New_York", jurisdiction="US")
    officer, boss = make_employee(roles=("Compliance",)), make_employee()
    edition = make_edition(renewal_months=12)
    course = edition.course
    services.set_rule(
        course=course, name="Who may message clients", due_days=20, due_kind="working_days", starts_on=date(2027, 1, 4),
        renewal_kind="rolling", window_days=60, by=officer.uid,
        audience={"any": [{"fact": "office", "is": ["sh"]}, {"fact": "office", "is": ["ny"]}]},
    )  # fmt: skip

    # Wen joins Shanghai on Monday 1 March 2027 and has twenty working days.
    diary.until("2027-03-01")
    wen = make_employee(name_en="Wen", office=shanghai, joined_on=date(2027, 3, 1), manager=boss)
    diary.until("2027-03-02")
    assert cycles(wen) == ["1: due 2027-03-29, open"]
    [first] = Assignment.objects.filter(employee=wen)
    assert reason_of(first).sentence == (
        "The rule “Who may message clients” calls for it (office Shanghai), and it is due on 29 March 2027: "
        "20 working days after joining on 1 March 2027."
    )

    # The course is done on 18 March: it counts for a year.
    diary.until("2027-03-18")
    complete_course(first)
    diary.until("2027-03-19")
    assert (state(wen), cycles(wen)) == ("current", ["1: due 2027-03-29, completed 2027-03-18"])

    # Sixty days before it lapses the renewal opens; done early, the anniversary stays. 2028 is a leap year.
    diary.until("2028-01-18")
    assert cycles(wen)[1] == "2: due 2028-03-17, open"
    complete_course(Assignment.objects.open().get(employee=wen))
    assert [str(one.expires_on) for one in Completion.objects.order_by("pk")] == ["2028-03-17", "2029-03-17"]

    # In April 2028 Wen moves to New York: still in the audience, nothing changes.
    diary.until("2028-04-10")
    Employee.objects.filter(pk=wen.pk).update(office=new_york)
    diary.until("2028-04-11")
    assert (state(wen), len(cycles(wen))) == ("current", 2)

    # A new edition asks more, from 1 June 2028: Wen owes it in twenty working days of New York. Juneteenth is none.
    diary.until("2028-06-01")
    newer = make_edition(course)
    Lesson.objects.filter(module__edition=newer).update(
        title={"en": "Told anew"}
    )  # all of it: the whole course is owed
    services.material_change(edition=newer, since=date(2028, 6, 1), by=officer.uid)
    diary.until("2028-06-02")
    assert cycles(wen)[2] == "3: due 2028-06-30, open"

    # Wen begins, and is then away for four weeks from 12 June: the date moves by their nineteen working days.
    finish_lessons(Assignment.objects.open().get(employee=wen))
    people.set_leave(employee=wen, first_on=date(2028, 6, 12), last_on=date(2028, 7, 7), by=officer.uid)
    diary.until("2028-06-12")
    assert cycles(wen)[2] == "3: due 2028-07-27, open"

    # The due day is over when it is over in New York, not in Shanghai.
    diary.until("2028-07-27")
    new_york_midnight = datetime(2028, 7, 28, tzinfo=ZoneInfo("America/New_York"))
    diary.clock.move_to(new_york_midnight - timedelta(seconds=1))
    standing.catch_up()
    assert state(wen) == "due_soon"
    diary.clock.move_to(new_york_midnight)
    standing.catch_up()
    assert state(wen) == "overdue"
    complete_course(Assignment.objects.open().get(employee=wen))
    standing.catch_up()
    assert state(wen) == "current"

    # Wen leaves on 30 September 2028 and comes back to Shanghai on 2 July 2029: recognised, and what counts, counts.
    Employee.objects.filter(pk=wen.pk).update(left_on=date(2028, 9, 30))
    diary.until("2028-10-02")
    assert len(cycles(wen)) == 3
    diary.until("2029-06-29")
    assert len(cycles(wen)) == 3  # nobody who is away from the firm is called
    Employee.objects.filter(pk=wen.pk).update(left_on=None, joined_on=date(2029, 7, 2), office=shanghai)
    diary.until("2029-07-02")
    assert cycles(wen)[3] == "4: due 2029-07-27, open"

    # Before it is begun Wen is seconded: exempt, asked for by the manager, approved by Compliance, to 31 August.
    ask = exempting.ask(
        employee=wen, course=course, reason="Seconded to the regulator", starts_on=date(2029, 7, 3),
        ends_on=date(2029, 8, 31), by=boss,
    )  # fmt: skip
    exempting.decide(ask=ask, by=officer)
    diary.until("2029-07-03")
    assert (state(wen), cycles(wen)[3]) == ("exempt", "4: due 2029-07-27, exempt 2029-07-03")
    diary.until("2029-09-01")
    assert cycles(wen)[4].endswith("open")
    complete_course(Assignment.objects.open().get(employee=wen))

    # What is left of it all: five cycles that say why they ended, four completions, and an Entry for each turn.
    diary.until("2029-12-31")
    assert [line.split(", ")[1].split()[0] for line in cycles(wen)] == [
        "completed", "completed", "completed", "exempt", "completed",
    ]  # fmt: skip
    assert Completion.objects.filter(employee=wen).count() == 4
    verbs = Entry.objects.filter(subject=wen.uid, verb__startswith="training.").order_by("seq")
    told = [v for v in verbs.values_list("verb", flat=True) if v.split(".")[1] in
            ("assigned", "completed", "due_moved", "cycle_ended", "exempted")]  # fmt: skip
    assert told == [
        "training.assigned", "training.completed", "training.assigned", "training.completed", "training.assigned",
        "training.due_moved", "training.completed", "training.assigned", "training.exempted", "training.cycle_ended",
        "training.assigned", "training.completed",
    ]  # fmt: skip
    assert ledger.verify()[1] is None
