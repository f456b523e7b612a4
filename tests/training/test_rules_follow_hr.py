"""Whichever way HR's facts come in, the rules are rung for the people who changed, and then follow."""

import io
import json
from datetime import timedelta

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.hr import tasks as hr_tasks
from portal.hr.models import HrFile
from portal.people.models import Employee, Tag
from portal.scim import tokens
from training import services, tasks
from training.models import Assignment

pytestmark = pytest.mark.django_db
HEAD = "employee_no,name_en,email,unit,tags"


@pytest.fixture
def rung(bells, settings, django_capture_on_commit_callbacks):
    """Do something, answer what it rang for the rules, and return for whom."""

    def answered(deed) -> set[str]:
        bells.clear()
        with django_capture_on_commit_callbacks(execute=True):
            deed()
        ids = [args[0] for name, args in bells if name == settings.PEOPLE_CHANGED_TASK]
        for people in ids:
            tasks.apply_to_people(people)
        numbers = Employee.objects.filter(pk__in={pk for people in ids for pk in people})
        return set(numbers.values_list("employee_no", flat=True))

    return answered


@pytest.fixture
def course(make_edition):
    """A course for whoever bears the tag “Licensed”."""
    course = make_edition().course
    Tag.objects.create(slug="licensed", name="Licensed")
    services.set_rule(
        course=course, name="Licensed", due_days=30, starts_on=timezone.localdate(), by="system:test",
        audience={"any": [{"fact": "tag", "is": ["licensed"]}]},
    )  # fmt: skip
    return course


def owed() -> list[str]:
    return sorted(Assignment.objects.open().values_list("employee__employee_no", flat=True))


def test_the_task_that_is_rung_is_the_one_that_applies_the_rules(settings):
    assert tasks.apply_to_people.name == settings.PEOPLE_CHANGED_TASK
    assert tasks.apply_to_people.name in current_app.tasks


def test_hrs_command_rings_for_who_changed_and_a_rule_by_tag_follows(course, rung, tmp_path):
    file = tmp_path / "people.csv"

    def give(*lines: str):
        file.write_text("\n".join([HEAD, *lines]), encoding="utf-8")
        return lambda: call_command("import_people", file, "--write", stdout=io.StringIO())

    ann, bob = "A,Ann,ann@example.com,Sales,Licensed;Desk one", "B,Bob,bob@example.com,Sales,"
    assert rung(give(ann, bob)) == {"A", "B"}
    assert owed() == ["A"]
    assert set(Employee.objects.get(employee_no="A").tags.values_list("slug", flat=True)) == {"licensed", "desk-one"}
    assert rung(give(ann, bob)) == set()
    assert rung(give(ann, bob.replace("Sales,", "Sales,licensed"))) == {"B"}
    assert owed() == ["A", "B"]
    assert rung(give(ann.replace("Licensed;", ""), bob)) == {"A", "B"}
    assert owed() == []


def test_hrs_page_rings_for_who_changed_and_a_rule_by_tag_follows(course, rung, sign_in, make_employee):
    browser = sign_in(make_employee(roles=("HR",), employee_no=None))
    upload = SimpleUploadedFile("people.csv", f"{HEAD}\nA,Ann,ann@example.com,,Licensed\n".encode())
    browser.post(reverse("hr:file_list"), {"file": upload})
    one = HrFile.objects.get()
    browser.post(reverse("hr:choose_columns", args=[one.uid]), one.mapping)
    one.refresh_from_db()
    hr_tasks.compare(one.compare_job_id)
    browser.post(reverse("hr:apply", args=[one.uid]))
    one.refresh_from_db()
    assert rung(lambda: hr_tasks.apply(one.apply_job_id)) == {"A"}
    assert owed() == ["A"]


def test_a_directorys_group_rings_for_its_members_and_a_rule_by_its_tag_follows(rung, make_edition, make_employee):
    client = Client(headers={"Authorization": f"Bearer {tokens.make(label='Entra', by=make_employee())}"})

    def post(path: str, body: dict) -> dict:
        return client.post(f"/scim/v2{path}", json.dumps(body), content_type="application/scim+json").json()

    user = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann@example.com",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "A"},
    }  # fmt: skip
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Traders", "members": []}
    post("/Groups", group)
    services.set_rule(
        course=make_edition().course, name="Traders", due_days=30, starts_on=timezone.localdate(), by="system:test",
        audience={"any": [{"fact": "tag", "is": ["traders"]}]},
    )  # fmt: skip
    ann = {}
    assert rung(lambda: ann.update(post("/Users", user))) == {"A"}
    assert owed() == []
    [found] = client.get("/scim/v2/Groups").json()["Resources"]
    body = {**group, "members": [{"value": ann["id"]}]}
    path = f"/scim/v2/Groups/{found['id']}"
    assert rung(lambda: client.put(path, json.dumps(body), content_type="application/scim+json")) == {"A"}
    assert owed() == ["A"]
    assert rung(lambda: client.delete(f"/scim/v2/Users/{ann['id']}")) == {"A"}
    services.apply_rules(today=timezone.localdate() + timedelta(1))
    assert owed() == []
    assert Assignment.objects.get().ended_why == "left"
