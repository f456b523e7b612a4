"""HR gives a list on the page: its columns, what it would change, and what applying it does."""

import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation

from portal.hr import columns, services
from portal.hr.models import HrChange, HrFile
from portal.hr.tasks import apply, compare, forget_old
from portal.jobs.models import Job
from portal.ledger.models import Entry
from portal.people.models import Employee
from tests.hr.test_sheets import workbook

pytestmark = pytest.mark.django_db

HEAD = "工号,Name,E-mail,姓名,部门,Manager ID"
ANN = "A,Ann,ann@example.com,安,Sales,"
BOB = "B,Bob,bob@example.com,,Sales,A"


@pytest.fixture
def hr(make_employee):
    return make_employee(email="hr@example.com", roles=["HR"], employee_no=None)


@pytest.fixture
def browser(client, hr):
    client.force_login(hr)
    return client


def upload(*lines: str, head: str = HEAD, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([head, *lines]).encode("utf-8-sig"))


def given(browser, *lines: str, **told) -> HrFile:
    """Give a list with the columns that are guessed, and compare it."""
    answer = browser.post(reverse("hr:file_list"), {"file": upload(*lines), **told})
    assert answer.status_code == 302, answer.context["form"].errors
    uid = answer.url.rstrip("/").rpartition("/")[2]
    one = HrFile.objects.get(uid=uid)
    browser.post(reverse("hr:choose_columns", args=[uid]), one.mapping)
    one.refresh_from_db()
    compare(one.compare_job_id)
    one.refresh_from_db()
    return one


def applied(browser, one: HrFile) -> HrFile:
    browser.post(reverse("hr:apply", args=[one.uid]))
    one.refresh_from_db()
    apply(one.apply_job_id)
    one.refresh_from_db()
    return one


def page(browser, one: HrFile, **query) -> str:
    return browser.get(reverse("hr:file", args=[one.uid]), query).content.decode()


def test_a_list_is_shown_first_and_changes_nothing(browser):
    one = given(browser, ANN, BOB, "C,Cy,none,,Sales,A")
    assert one.counts == {
        "added": 2, "changed": 0, "returns": 0, "leaves": 0, "refused": 1, "unchanged": 0, "staff": 0
    }  # fmt: skip
    shown = page(browser, one)
    assert "Ann 安" in shown
    assert "The e-mail address is not one." in shown
    assert not Employee.objects.filter(employee_no="A").exists()


@pytest.mark.django_db(transaction=True)
def test_applied_it_is_so_with_an_entry_for_each_person_and_the_file_is_gone(browser, hr):
    one = given(browser, ANN, BOB)
    name = one.file.name
    one = applied(browser, one)
    bob = Employee.objects.get(employee_no="B")
    assert (bob.manager.employee_no, bob.department.name, bob.has_usable_password()) == ("A", "Sales", False)
    assert Employee.objects.below(bob.manager).get() == bob
    verbs = Entry.objects.filter(actor=hr.uid).values_list("verb", flat=True)
    assert sorted(verbs) == ["hr.file_applied", "hr.file_given", "people.added", "people.added", "people.manager_set"]
    assert (one.state, one.file.name, one.changes.count()) == ("applied", "", 0)
    assert not default_storage.exists(name)


def test_the_same_list_again_changes_nothing(browser):
    applied(browser, given(browser, ANN, BOB))
    again = given(browser, ANN, BOB)
    assert (again.counts["unchanged"], again.changes.count()) == (2, 0)
    assert "Nothing: everybody is here" in page(browser, again)


def test_a_change_shows_before_and_after_and_each_kind_can_be_looked_at_alone(browser):
    applied(browser, given(browser, ANN, BOB))
    one = given(browser, ANN.replace("Sales", "Trading"), "D,Di,di@example.com,,Sales,A")
    changed = page(browser, one, kind="changed")
    assert "<del>Sales</del> → Trading" in changed
    assert "di@example.com" not in changed


def test_a_half_of_the_list_is_refused_and_says_what_can_be_done(browser):
    rows = [f"{n:03},Name {n},n{n}@example.com,,Sales," for n in range(20)]
    applied(browser, given(browser, *rows))
    half = given(browser, *rows[:10], is_complete="on")
    assert "10 of 20 people would leave" in page(browser, half)
    browser.post(reverse("hr:apply", args=[half.uid]))
    half.refresh_from_db()
    assert half.state == HrFile.State.SHOWN
    assert not Employee.objects.exclude(left_on=None).exists()


def test_who_is_not_on_a_whole_list_leaves_today_and_can_come_back(browser):
    rows = [f"{n:03},Name {n},n{n}@example.com,,Sales," for n in range(20)]
    applied(browser, given(browser, *rows))
    applied(browser, given(browser, *rows[1:], is_complete="on"))
    gone = Employee.objects.get(employee_no="000")
    assert gone.left_on == timezone.localdate()
    Employee.objects.filter(pk=gone.pk).update(is_active=False)
    back = upload(rows[0] + ",", head=HEAD + ",Last day")
    one = services.give(upload=back, is_complete=False, by=Employee.objects.get(email="hr@example.com"))
    services.choose_columns(given=one, mapping=one.mapping, by=one.given_by)
    one.refresh_from_db()
    compare(one.compare_job_id)
    one.refresh_from_db()
    assert one.counts["returns"] == 1
    applied(browser, one)
    gone.refresh_from_db()
    assert (gone.left_on, gone.is_active) == (None, True)


def test_a_person_who_was_changed_in_the_meantime_is_left_alone_and_told_of(browser):
    applied(browser, given(browser, ANN, BOB))
    one = given(browser, ANN.replace("Ann", "Anne"), BOB.replace("Bob", "Bobby"))
    Employee.objects.filter(employee_no="A").update(name_en="Annabel")
    one = applied(browser, one)
    assert set(Employee.objects.filter(employee_no__in="AB").values_list("name_en", flat=True)) == {"Annabel", "Bobby"}
    assert one.counts["stale"] == 1
    assert "1 line was not done" in page(browser, one)


def test_a_worker_that_is_cut_off_between_two_steps_does_nothing_twice(browser, monkeypatch):
    monkeypatch.setattr(services, "STEP", 2)
    rows = [f"{n:03},Name {n},n{n}@example.com,,Sales,{'000' if n else ''}" for n in range(7)]
    one = given(browser, *rows)
    browser.post(reverse("hr:apply", args=[one.uid]))
    one.refresh_from_db()
    write, calls = services.writing.write, []

    def cut_off(**told):
        calls.append(told)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return write(**told)

    monkeypatch.setattr(services.writing, "write", cut_off)
    with pytest.raises(KeyboardInterrupt):
        apply(one.apply_job_id)
    assert Employee.objects.filter(employee_no__startswith="00").count() == 2
    Job.objects.filter(pk=one.apply_job_id).update(lease_until=timezone.now() - timezone.timedelta(minutes=5))
    apply(one.apply_job_id)
    assert Employee.objects.filter(employee_no__startswith="00").count() == 7
    assert Entry.objects.filter(verb="people.added").count() == 7
    assert Entry.objects.filter(verb="people.manager_set").count() == 6


def test_only_one_list_is_applied_at_a_time(browser, hr):
    first, second = given(browser, ANN), given(browser, BOB.replace(",A", ","))
    services.apply(given=first, by=hr)
    with pytest.raises(services.AnotherIsApplied):
        services.apply(given=second, by=hr)
    second.refresh_from_db()
    assert second.state == HrFile.State.SHOWN


def test_two_windows_cannot_apply_a_list_twice(browser, hr):
    one = given(browser, ANN)
    services.apply(given=one, by=hr)
    with pytest.raises(services.NotNow):
        services.apply(given=one, by=hr)


def test_a_list_put_away_leaves_nothing_of_the_people(browser):
    one = given(browser, ANN)
    browser.post(reverse("hr:put_away", args=[one.uid]))
    one.refresh_from_db()
    assert (one.state, one.file.name) == ("away", "")
    assert not HrChange.objects.exists()
    assert "Ann" not in page(browser, one)


def test_a_list_that_nobody_went_on_with_goes_after_a_month(browser):
    one = given(browser, ANN)
    forget_old()
    assert HrFile.objects.get().state == "shown"
    HrFile.objects.filter(pk=one.pk).update(given_at=timezone.now() - services.KEPT * 2)
    forget_old()
    assert HrFile.objects.get().state == "away"
    assert not HrChange.objects.exists()


def test_a_workbook_is_as_good_as_a_table_of_text(browser):
    file = io.BytesIO(workbook(["employee_no", "name_en", "email"], [7, "Ann", "ann@example.com"]))
    file.name = "people.xlsx"
    answer = browser.post(reverse("hr:file_list"), {"file": file})
    assert answer.status_code == 302


def test_a_file_that_is_no_table_is_refused_at_once(browser):
    file = SimpleUploadedFile("people.xlsx", b"PK\x03\x04 nothing")
    answer = browser.post(reverse("hr:file_list"), {"file": file})
    assert "damaged" in answer.content.decode()
    assert not HrFile.objects.exists()


def test_a_file_that_turns_out_unreadable_further_down_says_where(browser):
    one = given(browser, ANN, '"' + "x" * 2_000 + '",1')
    assert one.state == HrFile.State.UNREADABLE
    assert "Is a quote not closed?" in page(browser, one)


def test_a_needed_column_must_be_chosen(browser):
    answer = browser.post(reverse("hr:file_list"), {"file": upload("1,2", head="x,y")})
    one = HrFile.objects.get()
    assert one.mapping == {}
    answer = browser.post(reverse("hr:choose_columns", args=[one.uid]), {})
    assert answer.context["form"].errors.keys() == {"employee_no", "name_en", "email"}
    assert Job.objects.count() == 0


def test_the_next_list_with_the_same_headings_is_read_as_the_last(browser, hr):
    head = "x,y,z"
    first = services.give(upload=upload("A,Ann,ann@example.com", head=head), is_complete=False, by=hr)
    mapping = {"employee_no": "x", "name_en": "y", "email": "z"}
    services.choose_columns(given=first, mapping=mapping, by=hr)
    first.refresh_from_db()
    compare(first.compare_job_id)
    first.refresh_from_db()
    applied(browser, first)
    assert services.give(upload=upload("B,Bob,b@example.com", head=head), is_complete=False, by=hr).mapping == mapping


def test_headings_are_told_however_they_are_written():
    assert columns.guess(["EMPLOYEE ID", "Full_Name", "电子邮箱", "Hire Date", "x"]) == {
        "employee_no": "EMPLOYEE ID",
        "name_en": "Full_Name",
        "email": "电子邮箱",
        "joined_on": "Hire Date",
    }


def test_the_page_costs_the_same_for_one_line_and_for_many(browser, count_queries):
    few = given(browser, ANN)
    many = given(browser, *[f"{n:03},Name {n},n{n}@example.com,,Sales," for n in range(40)])
    assert count_queries(lambda: page(browser, few)) == count_queries(lambda: page(browser, many))


def test_a_reason_is_told_in_the_language_of_the_reader(browser):
    one = given(browser, "C,Cy,none,,Sales,")
    with translation.override("zh-hans"):
        assert HrChange.objects.get(file=one).reason != "The e-mail address is not one."
