from datetime import date, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal.ledger.models import Entry
from portal.people import services as people
from training import exempting, services
from training.duty_forms import RuleForm, rows_of
from training.models import Assignment, Completion, Exemption, Rule

TODAY = date(2030, 3, 15)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def hr(make_employee, sign_in):
    return sign_in(make_employee(roles=("HR",), joined_on=TODAY + 900 * DAY))


def typed(course, **fields) -> dict:
    dull = {
        "name": "Licensed staff", "course": course.pk, "starts_on": "2030-03-15", "due_kind": "days", "due_days": 30,
        "renewal_kind": "rolling", "window_days": 60, "grace_days": 0, "is_active": "on", "together": "all",
    }  # fmt: skip
    return dull | fields


def words(response) -> str:
    return " ".join(BeautifulSoup(response.text, "html.parser").find("main").get_text(" ").split())


def test_a_rule_is_tried_before_it_runs_and_nothing_is_written(hr, make_employee, make_office, make_edition):
    hk = make_employee(name_en="Hong", office=make_office("hk"))
    make_employee(name_en="Nobody Else")
    form = typed(make_edition().course, fact_0="office:hk", group_0="A")
    page = hr.post(reverse("training:rule_new"), form | {"try": "1"})
    said = words(page)
    assert "In its audience 1" in said
    assert "Newly assigned 1" in said
    assert hk.name in said
    assert "Nobody Else" not in said
    assert "The rule “Licensed staff” calls for it (office Hk), and it is due on 14 April 2030" in said
    assert (Rule.objects.count(), Assignment.objects.count()) == (0, 0)


def test_a_rule_is_saved_as_a_version_and_everybody_is_looked_at(hr, make_employee, make_edition, bells):
    make_employee()
    course = make_edition().course
    assert hr.post(reverse("training:rule_new"), typed(course, save="1")).status_code == 302
    rule = Rule.objects.get()
    assert (rule.version, rule.audience, rule.renewal_kind) == (1, {"all": []}, "rolling")
    url = reverse("training:rule", args=[rule.pk])
    hr.post(url, typed(course, save="1", due_days=10))
    rule.refresh_from_db()
    assert (rule.version, rule.due_days, rule.versions.count()) == (2, 10, 2)
    assert Entry.objects.filter(verb="training.rule_set").count() == 2
    assert "version 2" in words(hr.get(url))


def test_a_change_is_tried_against_today(hr, make_employee, make_office, make_edition):
    sh = make_employee(office=make_office("sh"))
    course = make_edition().course
    rule = services.set_rule(course=course, name="All", due_days=30, starts_on=TODAY, by="system:test")
    services.apply_rules(today=TODAY)
    form = typed(course, fact_0="office:sh", group_0="A", not_0="on")
    said = words(hr.post(reverse("training:rule", args=[rule.pk]), form | {"try": "1"}))
    assert "Owed no more 1" in said
    assert sh.name in said
    assert Assignment.objects.open().filter(employee=sh).exists()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"due_kind": "date"}, "due_date"),
        ({"renewal_kind": "season", "season_first": "13-01", "season_last": "05-31"}, "season_first"),
        ({"fact_0": "hired_after:", "value_0": "soon"}, "value_0"),
        ({"fact_0": "hired_within:", "value_0": "-3"}, "value_0"),
    ],
)
def test_what_is_missing_is_asked_for(fields, wrong, make_edition):
    form = RuleForm(typed(make_edition().course, **fields))
    assert not form.is_valid()
    assert wrong in form.errors


def fact(kind: str, *values) -> dict:
    return {"fact": kind, "is": list(values)}


def test_what_the_form_says_it_can_show_again(make_edition, make_office, make_department):
    make_office("hk")
    desk = make_department("Desk")
    form = RuleForm(typed(
        make_edition().course, fact_0="office:hk", group_0="A", fact_1=f"department:{desk.pk}", group_1="A",
        fact_2="hired_after:", value_2="2029-01-01", group_2="B", not_2="on",
    ))  # fmt: skip
    assert form.is_valid(), form.errors
    tree = form.said["audience"]
    assert tree == {
        "all": [
            {"any": [fact("office", "hk"), fact("department", desk.pk)]},
            {"not": fact("hired_after", "2029-01-01")},
        ]
    }
    assert rows_of(tree) == (
        "all",
        [
            ("A", "office:hk", False, ""), ("A", f"department:{desk.pk}", False, ""),
            ("B", "hired_after:", True, "2029-01-01"),
        ],
    )  # fmt: skip


def test_a_deeper_audience_stays_as_it_is(hr, make_edition, make_office):
    deep = {"all": [{"any": [{"all": [fact("office", "hk"), fact("tag", "x")]}, fact("office", "sh")]}]}
    rule = services.set_rule(
        course=make_edition().course, name="Deep", due_days=30, starts_on=TODAY, audience=deep, by="system:test"
    )
    assert rows_of(deep) is None
    url = reverse("training:rule", args=[rule.pk])
    assert "deeper than this form can show" in words(hr.get(url))
    hr.post(url, typed(rule.course, save="1", due_days=5))
    rule.refresh_from_db()
    assert (rule.audience, rule.due_days) == (deep, 5)


def test_the_list_says_whom_a_rule_is_for(hr, make_edition, make_office):
    make_office("hk", name="Hong Kong")
    tree = {"all": [fact("office", "hk"), {"not": fact("role", "HR")}]}
    services.set_rule(
        course=make_edition().course, name="X", due_days=30, starts_on=TODAY, audience=tree, by="system:test"
    )
    assert "office Hong Kong and not in the role HR" in words(hr.get(reverse("training:rule_list")))


def test_the_next_three_cycles_of_a_person(hr, make_employee, make_edition):
    person = make_employee(joined_on=TODAY)
    services.set_rule(course=make_edition().course, name="All", due_days=30, starts_on=TODAY, by="system:test")
    services.apply_rules(today=TODAY)
    said = words(hr.get(reverse("training:person_duties", args=[person.uid])))
    for day in ("14 April 2030", "13 April 2031", "12 April 2032"):
        assert f"due on {day}" in said
    assert "30 days after the start of the rule on 15 March 2030" in said


def test_a_course_page_and_its_chinese_say_why(make_employee, make_edition, sign_in):
    person = make_employee(joined_on=TODAY, language="zh-hans")
    course = make_edition().course
    services.set_rule(course=course, name="All", due_days=30, starts_on=TODAY, by="system:test")
    services.apply_rules(today=TODAY)
    page = sign_in(person).get(reverse("training:course", args=[course.slug]))
    assert "规则“All”" in page.text


def test_an_exemption_is_decided_by_somebody_else(make_employee, make_edition, sign_in):
    boss, officer = make_employee(), make_employee(roles=("Compliance",))
    person, course = make_employee(manager=boss), make_edition().course
    services.set_rule(course=course, name="All", due_days=30, starts_on=TODAY, by="system:test")
    services.apply_rules(today=TODAY)
    form = {
        "employee": person.employee_no, "course": course.pk, "reason": "Secondment", "starts_on": "2030-03-15",
        "ends_on": "2030-05-01",
    }  # fmt: skip
    sign_in(boss).post(reverse("training:exemption_list"), form)
    ask = person.exemption_asks.get()
    with pytest.raises(exempting.SamePerson):
        exempting.decide(ask=ask, by=boss)
    url = reverse("training:exemption_decide", args=[ask.uid])
    assert sign_in(boss).post(url, {"approve": "1"}).status_code == 403
    client = sign_in(officer)
    client.post(url, {"refuse": "1", "reason": ""})
    assert person.exemption_asks.get().decided_at is None
    client.post(url, {"approve": "1"})
    assert Exemption.objects.get().approved_by == officer
    assert Assignment.objects.get(employee=person).ended_why == "exempt"
    assert "Secondment" in words(client.get(reverse("training:exemption_list")))
    client.post(url, {"refuse": "1", "reason": "late"})
    assert person.exemption_asks.get().refused_why == ""


def test_a_manager_asks_only_for_people_below(make_employee, make_edition, sign_in):
    boss, stranger = make_employee(), make_employee()
    make_employee(manager=boss)
    form = {
        "employee": stranger.employee_no, "course": make_edition().course.pk, "reason": "x",
        "starts_on": "2030-03-15", "ends_on": "2030-05-01",
    }  # fmt: skip
    page = sign_in(boss).post(reverse("training:exemption_list"), form)
    assert "There is nobody with this number" in words(page)
    assert stranger.exemption_asks.count() == 0


def test_past_completions_are_compared_before_they_are_kept(hr, make_employee, make_edition, sign_in):
    person, course = make_employee(), make_edition().course
    data = f"employee_no,course,completed_on,percent\n{person.employee_no},{course.slug},2029-12-01,88\n".encode()
    url = reverse("training:completion_import")
    assert "New 1" in words(hr.post(url, {"file": SimpleUploadedFile("past.csv", data), "compare": "1"}))
    assert Completion.objects.count() == 0
    hr.post(url, {"file": SimpleUploadedFile("past.csv", data), "keep": "1"})
    assert Completion.objects.get().origin == "imported"
    assert "past.csv" in words(hr.get(url))
    assert "taken over from a file" in words(sign_in(person).get(reverse("training:certificate_list")))


def test_the_pages_cost_the_same_for_one_person_and_for_ten(
    hr, make_employee, make_edition, count_queries, make_office
):
    course = make_edition().course
    form = typed(course) | {"try": "1"}
    boss = make_employee(employee_no=None)

    def one_more() -> None:
        person = make_employee(office=make_office())
        services.exempt(
            employee=person, course=course, reason="x", starts_on=TODAY + DAY, ends_on=TODAY + 9 * DAY,
            approved_by=boss, by=boss.uid,
        )  # fmt: skip
        exempting.ask(employee=person, course=course, reason="x", starts_on=TODAY, ends_on=TODAY, by=boss)

    one_more()
    pages = [
        lambda: hr.post(reverse("training:rule_new"), form), lambda: hr.get(reverse("training:exemption_list")),
        lambda: hr.get(reverse("training:rule_list")),
    ]  # fmt: skip
    ones = [count_queries(page) for page in pages]
    for _ in range(9):
        one_more()
    assert [count_queries(page) for page in pages] == ones


def test_moving_a_person_by_role_is_seen(make_employee, make_edition):
    person = make_employee()
    services.set_rule(
        course=make_edition().course, name="Officers", due_days=30, starts_on=TODAY,
        audience=fact("role", "Compliance"), by="system:test",
    )  # fmt: skip
    assert services.apply_to_people(employee_ids=[person.pk], today=TODAY) == 0
    people.give_roles(employee=person, roles=["Compliance"], by="system:test", reason="joins compliance")
    assert services.apply_to_people(employee_ids=[person.pk], today=TODAY) == 1
