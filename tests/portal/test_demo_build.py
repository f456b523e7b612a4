from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from celery import current_app
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from archive.models import Finding, Import, Message, Record, Source
from portal.demo import build, census
from portal.demo.clock import Clock, no_bells
from portal.demo.people import ACCOUNTS, PASSWORD
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from portal.standing.models import Standing, StandingChange
from quizzes.models import ItemFigures
from training import facts, rules
from training.models import Certificate, Completion, Exemption

TODAY = date(2026, 11, 23)
SMALL = {"people": 24, "weeks": 3, "today": TODAY}


def make_demo(**options) -> str:
    said = StringIO()
    call_command("make_demo", stdout=said, stderr=StringIO(), **{**SMALL, **options})
    return said.getvalue()


@pytest.fixture
def a_late_day(settings, tmp_path, monkeypatch) -> None:
    """The real clock stands after TODAY, whenever the test runs; one certificate is enough."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    monkeypatch.setattr(build, "DRAWN", 1)


@pytest.mark.django_db
def test_a_small_firm_is_built_through_the_services_and_a_second_run_changes_nothing(a_late_day):
    printed = make_demo()
    assert all(account.email in printed for account in ACCOUNTS)
    assert PASSWORD in printed

    everybody = Employee.objects.filter(employee_no__isnull=False)
    assert everybody.count() == 24
    states = facts.facts_for(list(everybody.values_list("pk", flat=True))).values()
    assert {rules.training_state(one, TODAY) for one in states} == set(rules.State)
    for model in (
        Source,
        Import,
        Message,
        Record,
        Finding,
        Standing,
        StandingChange,
        Completion,
        Exemption,
        ItemFigures,
    ):
        assert model.objects.exists(), model
    assert Standing.objects.count() == 24
    assert Certificate.objects.exclude(file="").exists()
    assert Certificate.objects.filter(completion__employee__email="finished@example.com").exclude(file="").exists()

    lacks = census.missing()  # three weeks are too short for every kind of finding, but not for these
    assert not {one for one in lacks if one.startswith(("training", "may message", "report"))}

    read, fault = ledger.verify()
    assert fault is None
    times = list(Entry.objects.order_by("seq").values_list("at", flat=True))
    assert times == sorted(times)
    assert times[-1] <= timezone.now()  # the first seal is made now, and begins the key

    before = {model: model.objects.count() for model in apps.get_models()}
    assert "there already" in make_demo()
    assert {model: model.objects.count() for model in apps.get_models()} == before
    assert read == len(times)

    employee = Employee.objects.get(email="employee@example.com")
    assert employee.check_password(PASSWORD)
    able = [one.email for one in Employee.objects.all() if one.has_usable_password()]
    assert sorted(able) == sorted(account.email for account in ACCOUNTS)


@pytest.mark.django_db
def test_a_database_with_other_people_in_it_is_refused(a_late_day, make_employee):
    make_employee()
    with pytest.raises(CommandError, match="not of the demo firm"):
        make_demo()


@pytest.mark.django_db
def test_a_firm_that_was_begun_and_not_finished_is_refused_with_the_remedy(a_late_day):
    with transaction.atomic():
        ledger.append(verb=build.BEGUN, actor=build.BY, subject=build.BY, body={})
    with pytest.raises(CommandError, match="make demo-reset"):
        make_demo()


@pytest.mark.django_db
def test_a_site_that_others_reach_gets_no_accounts_with_a_known_password(a_late_day, settings):
    settings.HTTPS, settings.ALLOWED_HOSTS = True, ["portal.example.com"]
    with pytest.raises(CommandError, match="known passwords"):
        make_demo()


@pytest.mark.django_db
def test_a_day_that_has_not_come_is_refused(a_late_day):
    with pytest.raises(CommandError, match="has not come"):
        make_demo(today=TODAY + timedelta(days=1))


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"people": 23}, {"weeks": 0}, {"weeks": 53}])
def test_a_size_that_cannot_be_is_refused(a_late_day, wrong):
    with pytest.raises(CommandError, match="at least 24"):
        make_demo(**wrong)


def test_the_clock_of_the_story_only_goes_forward():
    clock = Clock(datetime(2026, 1, 1, tzinfo=UTC))
    first = clock.read()
    clock.move_to(datetime(2025, 1, 1, tzinfo=UTC))
    assert clock.read() > first


def test_the_real_clock_is_back_after_the_story_even_if_it_ends_badly():
    real = timezone.now

    def story() -> None:
        with Clock(datetime(2026, 1, 1, tzinfo=UTC)).running():
            raise ZeroDivisionError(timezone.now().year)

    with pytest.raises(ZeroDivisionError, match="2026"):
        story()
    assert timezone.now is real


def test_no_worker_is_rung_during_the_story(bells):
    with no_bells():
        current_app.send_task("somewhere.task")
    current_app.send_task("somewhere.else")
    assert [name for name, _ in bells] == ["somewhere.else"]
