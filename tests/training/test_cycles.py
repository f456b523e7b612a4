"""Joiners, movers, leavers, rehires, leave, exemptions, several rules, editions: what becomes of a cycle."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people import services as people
from portal.people.models import Employee, Tag
from training import services, taking_over
from training.audiences import BadAudience
from training.models import Assignment, Completion, ImportedFile, Rule, RuleVersion
from training.reasons import reason_of

TODAY = date(2030, 3, 15)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def make_rule(make_edition):
    def make(course=None, **fields) -> Rule:
        dull = {"name": "Everybody", "due_days": 30, "starts_on": TODAY}
        return services.set_rule(course=course or make_edition().course, **(dull | fields), by="system:test")

    return make


@pytest.fixture
def on(clock):
    """Go to a day and apply the rules to everybody."""

    def go(day: date) -> int:
        clock.move_to(f"{day}T04:00:00Z")
        return services.apply_rules(today=day)

    return go


def said(verb: str) -> list[dict]:
    return [ledger.body_of(entry) for entry in Entry.objects.filter(verb=verb).order_by("seq")]


def for_office(*codes: str) -> dict:
    return {"fact": "office", "is": list(codes)}


def test_the_database_refuses_a_second_open_cycle(make_assignment):
    first = make_assignment()
    same = {"employee": first.employee, "course": first.course, "assigned_on": TODAY, "due_on": TODAY}
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(cycle=2, **same)


def test_a_rule_is_for_its_audience_alone(make_rule, make_employee, make_office):
    hk = make_employee(office=make_office("hk", jurisdiction="HK"))
    make_employee(office=make_office("sh"))
    make_employee()
    make_rule(audience=for_office("hk"))
    assert services.apply_rules(today=TODAY) == 1
    assert Assignment.objects.get().employee == hk


def test_departments_count_with_all_below_them_and_tags_and_roles_count(make_rule, make_employee, make_department):
    top = make_department("Top")
    low = make_employee(department=make_department("Low", parent=make_department("Mid", parent=top)))
    boss = make_employee()
    tagged, officer = make_employee(manager=boss), make_employee(roles=("Compliance",))
    Tag.objects.create(slug="sfc", name="SFC licensed")
    people.set_tags(employee=tagged, tags=["sfc"], by="system:test")
    parts = [
        {"fact": "department", "is": [top.pk]}, {"fact": "tag", "is": ["sfc"]},
        {"fact": "role", "is": ["Compliance", "manager"]},
    ]  # fmt: skip
    make_rule(audience={"any": parts})
    services.apply_rules(today=TODAY)
    assert {a.employee for a in Assignment.objects.all()} == {low, boss, tagged, officer}


def test_a_tree_that_is_none_makes_no_rule(make_rule):
    with pytest.raises(BadAudience):
        make_rule(audience={"some": []})
    assert Rule.objects.count() == 0


def test_each_change_of_a_rule_is_a_version_and_a_cycle_names_its_own(make_rule, make_employee):
    make_employee()
    rule = make_rule()
    services.apply_rules(today=TODAY)
    make_rule(rule.course, due_days=10)
    assert list(RuleVersion.objects.values_list("number", flat=True)) == [2, 1]
    assert RuleVersion.objects.get(number=1).terms["due_days"] == 30
    assert Assignment.objects.get().because["version"] == 1


def test_a_mover_who_leaves_the_audience_owes_it_no_more_and_what_was_begun_is_kept(
    make_rule, make_employee, make_office, finish_lessons, on
):
    hk, sh = make_office("hk"), make_office("sh")
    person = make_employee(office=hk)
    make_rule(audience=for_office("hk"))
    on(TODAY)
    finish_lessons(Assignment.objects.get())
    Employee.objects.filter(pk=person.pk).update(office=sh)
    on(TODAY + DAY)
    cycle = Assignment.objects.get()
    assert (cycle.ended_on, cycle.ended_why) == (TODAY + DAY, "moved")
    assert cycle.progress.count() == 4
    assert said("training.cycle_ended")[0]["why"] == "moved"
    Employee.objects.filter(pk=person.pk).update(office=hk)
    assert on(TODAY + 9 * DAY) == 1
    assert Assignment.objects.get(cycle=2).due_on == TODAY + 39 * DAY  # counted from coming back under the rule


def test_what_was_assigned_by_hand_stays_whatever_the_rules_say(make_assignment, on):
    make_assignment()
    on(TODAY + DAY)
    assert Assignment.objects.open().count() == 1


def test_who_moves_into_an_audience_has_the_whole_time(make_rule, make_employee, make_office, on):
    person = make_employee(joined_on=date(2020, 1, 1))
    make_rule(audience=for_office("hk"))
    on(TODAY)
    on(TODAY + DAY)
    Employee.objects.filter(pk=person.pk).update(office=make_office("hk"))
    on(TODAY + 100 * DAY)
    cycle = Assignment.objects.get()
    assert (cycle.due_on, cycle.because["what"]) == (TODAY + 130 * DAY, "entered")


def test_a_leavers_cycle_ends_on_the_last_day_and_a_rehire_begins_the_next_one(make_rule, make_employee, on):
    person = make_employee(joined_on=TODAY)
    make_rule()
    on(TODAY)
    Employee.objects.filter(pk=person.pk).update(left_on=TODAY + 5 * DAY)
    on(TODAY + 5 * DAY)
    assert Assignment.objects.open().count() == 1
    on(TODAY + 8 * DAY)
    cycle = Assignment.objects.get()
    assert (cycle.ended_on, cycle.ended_why) == (TODAY + 5 * DAY, "left")
    back = TODAY + 60 * DAY
    Employee.objects.filter(pk=person.pk).update(left_on=None, joined_on=back)
    on(back)
    again = Assignment.objects.get(cycle=2)
    assert (again.due_on, again.because["what"]) == (back + 30 * DAY, "joined")


def test_a_rehires_completion_still_counts(make_rule, make_employee, complete_course, on):
    person = make_employee(joined_on=TODAY)
    make_rule()
    on(TODAY)
    complete_course(Assignment.objects.get())
    Employee.objects.filter(pk=person.pk).update(left_on=TODAY + DAY)
    on(TODAY + 5 * DAY)
    Employee.objects.filter(pk=person.pk).update(left_on=None, joined_on=TODAY + 90 * DAY)
    assert on(TODAY + 90 * DAY) == 0
    last_day = Completion.objects.get().expires_on
    assert on(last_day - 30 * DAY) == 1


def test_a_long_leave_moves_the_due_date_and_never_back(make_rule, make_employee, make_office, on):
    person = make_employee(joined_on=TODAY, office=make_office("us", jurisdiction="US"))
    make_rule(due_kind="working_days", due_days=20)
    on(TODAY)
    assert Assignment.objects.get().due_on == date(2030, 4, 12)
    away = {"employee": person, "first_on": date(2030, 4, 1), "by": "system:test"}
    people.set_leave(**away, last_on=date(2030, 4, 12))  # ten working days
    on(TODAY + DAY)
    assert Assignment.objects.get().due_on == date(2030, 4, 26)
    [moved] = said("training.due_moved")
    assert (moved["due_on_before"], moved["due_on"], moved["because"]["away"]) == ("2030-04-12", "2030-04-26", 10)
    people.set_leave(**away, last_on=date(2030, 4, 2))
    on(TODAY + 2 * DAY)
    assert Assignment.objects.get().due_on == date(2030, 4, 26)
    assert "moved by 10 working days of leave" in reason_of(Assignment.objects.get()).sentence


def test_an_exemption_ends_what_was_not_begun_and_lets_wait_what_was(
    make_rule, make_employee, make_edition, finish_lessons, on
):
    rule, boss = make_rule(), make_employee(employee_no=None)
    idle, busy = make_employee(joined_on=TODAY), make_employee(joined_on=TODAY)
    on(TODAY)
    finish_lessons(Assignment.objects.get(employee=busy))
    until = TODAY + 60 * DAY
    for person in (idle, busy):
        services.exempt(
            employee=person, course=rule.course, reason="Secondment", starts_on=TODAY, ends_on=until,
            approved_by=boss, by=boss.uid,
        )  # fmt: skip
    on(TODAY + DAY)
    assert Assignment.objects.get(employee=idle).ended_why == "exempt"
    waits = Assignment.objects.get(employee=busy)
    assert (waits.ended_on, waits.due_on) == (None, until + 7 * DAY)
    on(until + DAY)
    assert Assignment.objects.open().get(employee=idle).due_on == until + 31 * DAY


def test_of_several_rules_the_earliest_date_wins_and_the_others_are_named(make_rule, make_employee):
    make_employee(joined_on=TODAY)
    rule = make_rule(name="Slow", due_days=90)
    make_rule(rule.course, name="Quick", due_days=20)
    services.apply_rules(today=TODAY)
    cycle = Assignment.objects.get()
    assert (cycle.due_on, cycle.rule.name) == (TODAY + 20 * DAY, "Quick")
    assert cycle.because["also"] == ["Slow"]
    assert reason_of(cycle).also == ("Slow",)


def test_a_rule_that_calls_later_and_for_sooner_moves_the_date(make_rule, make_employee, on):
    make_employee(joined_on=TODAY)
    rule = make_rule(name="Slow", due_days=90)
    on(TODAY)
    make_rule(rule.course, name="Quick", due_days=20, starts_on=TODAY + DAY)
    on(TODAY + DAY)
    cycle = Assignment.objects.get()
    assert (cycle.due_on, cycle.rule.name, cycle.cycle) == (TODAY + 21 * DAY, "Quick", 1)
    on(TODAY + 2 * DAY)
    assert len(said("training.due_moved")) == 1


def test_an_edition_that_asks_more_is_owed_by_who_holds_an_older_one(
    make_rule, make_employee, make_edition, complete_course, finish_lessons, on
):
    rule = make_rule()
    done, busy, idle = (make_employee(joined_on=TODAY) for _ in range(3))
    on(TODAY)
    kept = complete_course(Assignment.objects.get(employee=done))
    finish_lessons(Assignment.objects.get(employee=busy))
    later = TODAY + 10 * DAY
    edition = make_edition(rule.course)
    assert on(later) == 0
    services.material_change(edition=edition, since=later, by="system:test")
    assert on(later) == 2
    assert Assignment.objects.get(employee=busy, cycle=1).ended_why == "new_edition"
    for person in (done, busy):
        owed = Assignment.objects.open().get(employee=person)
        assert (owed.cycle, owed.due_on, owed.because["what"]) == (2, later + 30 * DAY, "material")
    assert Assignment.objects.get(employee=idle).cycle == 1
    assert Completion.objects.filter(pk=kept.pk).exists()
    complete_course(Assignment.objects.open().get(employee=done))
    assert on(later + DAY) == 0


def test_finishing_early_inside_the_window_keeps_the_anniversary(make_rule, make_employee, complete_course, on):
    make_employee(joined_on=TODAY)
    make_rule(renewal_kind="rolling", window_days=60)
    on(TODAY)
    first = complete_course(Assignment.objects.get())
    assert first.expires_on == date(2031, 3, 14)
    on(date(2031, 1, 20))
    again = complete_course(Assignment.objects.open().get())
    assert again.expires_on == date(2032, 3, 14)
    assert Assignment.objects.filter(ended_why="completed").count() == 2


def test_grace_lets_nobody_be_overdue_before_it_is_over(make_rule, make_employee, on):
    from training.rules import State, next_change_on, training_state

    person = make_employee(joined_on=TODAY)
    make_rule(grace_days=5)
    on(TODAY)
    facts = services.facts_for([person.pk])[person.pk]
    due = TODAY + 30 * DAY
    assert training_state(facts, due + 5 * DAY) == State.DUE_SOON
    assert training_state(facts, due + 6 * DAY) == State.OVERDUE
    assert next_change_on(facts, due) == due + 6 * DAY


def test_a_changed_person_is_looked_at_alone(make_rule, make_employee):
    one, _other = make_employee(), make_employee()
    make_rule()
    assert services.apply_to_people(employee_ids=[one.pk], today=TODAY) == 1
    assert [a.employee for a in Assignment.objects.all()] == [one]


def test_a_change_of_hrs_facts_rings_for_the_person(
    make_employee, make_rule, bells, settings, django_capture_on_commit_callbacks
):
    person = make_employee()
    with django_capture_on_commit_callbacks(execute=True):
        people.set_leave(employee=person, first_on=TODAY, last_on=TODAY, by="system:test")
    assert (settings.PEOPLE_CHANGED_TASK, [[person.pk]]) in bells


def test_a_run_goes_through_everybody_in_steps_and_is_the_same_run_by_the_same_key(
    make_rule, make_employee, monkeypatch
):
    from portal.jobs import services as jobs
    from training import assignments

    monkeypatch.setattr("training.assignments.STEP", 2)
    for _ in range(5):
        make_employee()
    make_rule()
    job = assignments.start_run(key="night")
    assert assignments.start_run(key="night").pk == job.pk
    job = jobs.work(job.pk, assignments.run_step)
    assert (job.state, job.done, job.result) == ("done", 5, {"opened": 5})
    assert Rule.objects.get().applied_on == TODAY


# --- the sentence


def test_a_cycle_says_in_one_sentence_why_it_is_and_why_then(make_rule, make_employee, make_office):
    office = make_office("hk", name="Hong Kong", name_zh="香港", jurisdiction="HK")
    make_employee(joined_on=TODAY, office=office)
    make_rule(name="Licensed staff", audience=for_office("hk"), due_kind="working_days", due_days=10)
    services.apply_rules(today=TODAY)
    assert reason_of(Assignment.objects.get()).sentence == (
        "The rule “Licensed staff” calls for it (office Hong Kong), and it is due on 29 March 2030: "
        "10 working days after the start of the rule on 15 March 2030."
    )


def test_a_cycle_by_hand_and_one_from_before_have_a_sentence_too(make_assignment):
    cycle = make_assignment(due_on=TODAY + DAY)
    assert "assigned by hand on 15 March 2030" in reason_of(cycle).sentence
    cycle.because = {}
    assert "assigned by hand" in reason_of(cycle).sentence


# --- taken over from a file


def csv_of(*lines: str) -> bytes:
    return "\n".join(["employee_no,course,completed_on,percent,valid_until", *lines]).encode()


def take(data: bytes, *, write: bool = True) -> taking_over.TakenOver:
    return taking_over.take_over(data=data, name="past.csv", write=write, by="system:test")


def test_past_completions_are_taken_over_once_and_say_so_for_ever(make_employee, make_edition, make_rule):
    person, course = make_employee(joined_on=TODAY), make_edition().course
    data = csv_of(
        f"{person.employee_no},{course.slug},2029-06-01,88,",
        f"{person.employee_no},{course.slug},2028-06-01,91%,2029-05-31",
        f"nobody,{course.slug},2029-06-01,88,",
        f"{person.employee_no},{course.slug},2031-01-01,88,",
        f"{person.employee_no},{course.slug},2029-06-02,many,",
        f"{person.employee_no},none,2029-06-02,80,",
    )
    assert len(take(data, write=False).new) == 2
    assert Completion.objects.count() == 0
    found = take(data)
    assert [line for line, _why in found.aside] == [4, 5, 6, 7]
    older, newer = Completion.objects.order_by("completed_at")
    assert (older.origin, older.expires_on, older.percent) == ("imported", date(2029, 5, 31), 91)
    assert (newer.expires_on, newer.certificates.count()) == (date(2030, 5, 31), 0)
    assert newer.origin_file == ImportedFile.objects.get().sha256
    assert len(said("training.completion_imported")) == 2
    assert (take(data).known, Completion.objects.count()) == (2, 2)
    assert "taken over from a file" in reason_of(newer.assignment).sentence
    assert services.history_of(person)[0].is_imported


def test_an_imported_completion_ends_what_is_owed_and_not_begun(make_employee, make_rule, on):
    person = make_employee(joined_on=TODAY)
    rule = make_rule()
    on(TODAY)
    take(csv_of(f"{person.employee_no},{rule.course.slug},2030-01-10,90,"))
    assert Assignment.objects.get().ended_why == "completed"
    assert on(TODAY + DAY) == 0


def test_a_file_that_is_no_list_is_refused(db):
    for data in (b"\xff\xfe", b"name\nA"):
        with pytest.raises(taking_over.NotAListOfCompletions):
            take(data)


# --- the end of the day where one works


def test_a_standing_turns_at_the_end_of_the_day_where_the_person_works(make_rule, make_employee, make_office, clock):
    from portal.standing import services as standing
    from portal.standing.models import Standing

    there = {zone: make_employee(joined_on=TODAY, office=make_office(zone.split("/")[1].lower(), time_zone=zone))
             for zone in ("Asia/Tokyo", "America/New_York")}  # fmt: skip
    make_rule(due_days=3)
    services.apply_rules(today=TODAY)
    due = Assignment.objects.first().due_on
    standing.catch_up()
    for zone, person in there.items():
        end = datetime.combine(due + DAY, datetime.min.time(), ZoneInfo(zone))
        for moment, state in ((end - timedelta(seconds=1), "due_soon"), (end, "overdue")):
            clock.move_to(moment)
            standing.catch_up()
            assert Standing.objects.get(employee=person).training_state == state
