"""Whoever changes in the database what people rely on is told by the verification of the evidence log."""

from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from portal.ledger import rows, verifying
from portal.ledger import services as ledger
from portal.ledger.models import Entry, Verification
from quizzes.models import Attempt, Response
from training import attesting, said, services
from training.assignments import exempt
from training.models import Attestation, Certificate, Completion, Exemption, ModuleResult

DAY = timedelta(days=1)


@pytest.fixture
def certificate(make_certificate) -> Certificate:
    return services.draw(make_certificate())


@pytest.fixture
def record(certificate, make_employee) -> Certificate:
    """Somebody with one row of everything."""
    person = certificate.completion.employee
    person.employee_no = person.employee_no or "E-1"
    person.save()
    about = {
        "starts_on": date(2030, 1, 1),
        "ends_on": date(2030, 2, 1),
        "approved_by": make_employee(),
        "by": "system:t",
    }
    exempt(employee=person, course=certificate.completion.edition.course, reason="Leave", **about)
    today = timezone.localdate()
    version = attesting.publish_policy(
        slug="own-devices", title={"en": "T"}, text={"en": "P"}, effective_from=today, by="system:test"
    )
    proof = attesting.Proof(timezone.now(), "password")
    attesting.sign(employee=person, version=version, proof=proof, language="en", shown={"gaps": 2})
    return certificate


def fault() -> str | None:
    found = ledger.verify()[1]
    return found and str(found)


def test_whatever_became_of_certificates_is_no_false_alarm(record, make_certificate):
    services.reissue(certificate=record, reason="Why", by="system:test")
    services.revoke(certificate=make_certificate(), reason="Why", by="system:test")
    assert fault() is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda row: {"facts": row.facts | {"percent": 99}}, "evidence, facts"),
        (lambda row: {"evidence": row.evidence | {"modules": []}}, "evidence"),
        (lambda row: {"sha256": "0" * 64}, "sha256"),
        (lambda row: {"issued_at": row.issued_at - 3 * DAY}, "issued_at"),
        (lambda row: {"revoked_at": row.issued_at, "revoked_why": "W", "revoked_for": "error"}, "revoked_at"),
    ],
)
def test_a_certificate_that_was_changed_is_told(certificate, change, says):
    Certificate.objects.filter(pk=certificate.pk).update(**change(certificate))
    found = fault()
    assert f"the certificate “{certificate.serial}” of {certificate.completion.employee.uid} is not what" in found
    assert says in found


def test_a_revocation_or_replacement_that_was_undone_is_told(certificate, make_certificate):
    other = make_certificate()
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    services.reissue(certificate=other, reason="Why", by="system:test")
    Certificate.objects.filter(pk=certificate.pk).update(revoked_at=None, revoked_for="", revoked_why="")
    assert "revoked_at, revoked_for, revoked_why" in fault()
    Certificate.objects.filter(pk=other.pk).update(superseded_by=None, superseded_for="")
    walk = verifying.verify()
    assert "replaced_by, replaced_for" in str(walk.fault.detail["more"])
    assert walk.fault.detail["count"] == 2


def test_the_entry_that_says_otherwise_is_named(certificate, make_certificate):
    make_certificate()
    Certificate.objects.filter(pk=certificate.pk).update(sha256="0" * 64)
    signed = Entry.objects.get(verb="training.certificate_signed")
    assert ledger.verify()[1].seq == signed.seq


DEEDS = {
    "a completion's date": (Completion, "completed_at = '2020-01-01 00:00:00'", "completion", "completed_at"),
    "until when it counts": (Completion, "expires_on = '2099-01-01'", "completion", "expires_on"),
    "its mark": (Completion, "percent = 99", "completion", "percent"),
    "its time": (Completion, "study_seconds = 7200", "completion", "study_seconds"),
    "a module's mark": (ModuleResult, "percent = 81", "module", "percent"),
    "a try's mark": (Attempt, "percent = 81", "attempt", "percent"),
    "a try that failed": (Attempt, "passed = NOT passed", "attempt", "passed"),
    "when it was handed in": (Attempt, "submitted_at = '2099-01-01 00:00:00'", "attempt", "submitted_at"),
    "an answer": (Response, "answer = '[\"other\"]'", "attempt", "responses"),
    "an answer's worth": (Response, "credit = 5000, is_right = NOT is_right", "attempt", "responses"),
    "an exemption's reason": (Exemption, "reason = 'Other'", "exemption", "reason"),
    "what was shown": (Attestation, "shown = '{}'", "signature", "shown"),
    "a signature's day": (Attestation, "signed_at = '2099-01-01 00:00:00'", "signature", "signed_at"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_each_change_by_sql_is_found_and_named(record, deed):
    model, change, table, field = DEEDS[deed]
    pk = model.objects.order_by("pk").values_list("pk", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {change} WHERE id = %s", [pk])  # noqa: S608 - our own words
    found = ledger.verify()[1]
    assert (found.code, found.detail["table"]) == ("row_differs", table)
    assert field in found.detail["fields"]


def test_a_completion_that_is_gone_and_one_that_was_forged_are_both_named_with_exit_status(
    record, make_assignment, make_employee
):
    gone, other = record.completion, make_assignment()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM training_certificate WHERE completion_id = %s", [gone.pk])
        cursor.execute("DELETE FROM training_completion WHERE id = %s", [gone.pk])
    about = {"completed_at": gone.completed_at, "expires_on": gone.expires_on, "percent": 90, "study_seconds": 60}
    Completion.objects.create(assignment=other, employee=other.employee, edition=gone.edition, **about)
    with pytest.raises(CommandError) as raised:
        call_command("verify_ledger", stdout=StringIO())
    told = str(raised.value)
    assert f"the completion “{gone.edition.course.slug} 1” of {gone.employee.uid} that it tells of is not there" in told
    assert f"the certificate “{record.serial}” of {gone.employee.uid} that it tells of is not there" in told
    assert f"no entry tells of the completion “{other.course.slug} 1” of {other.employee.uid}" in told


def test_what_was_given_to_another_person_is_gone_here_and_alone_there(record, make_employee):
    other = make_employee()
    Exemption.objects.update(employee=other)
    found = ledger.verify()[1]
    kinds = {(found.code, found.detail["of"]), *((one["code"], one["of"]) for one in found.detail["more"])}
    assert kinds == {("row_gone", record.completion.employee.uid), ("row_alone", other.uid)}


def test_a_mere_forgery_is_a_fault_that_names_no_entry(record, make_employee, client, django_user_model):
    Exemption.objects.create(
        employee=make_employee(), course=record.completion.edition.course, reason="F", approved_by=make_employee(),
        starts_on=date(2030, 1, 1), ends_on=date(2030, 2, 1),
    )  # fmt: skip
    walk = verifying.verify()
    kept = verifying.told(walk)
    assert (kept["fault_seq"], kept["fault_code"]) == (0, "row_alone")
    now = timezone.now()
    assert not Verification.objects.create(is_full=True, began_at=now, ended_at=now, **kept).is_sound


def test_from_a_seal_on_only_whom_later_entries_are_about_is_compared(record, make_certificate):
    seal = ledger.seal()
    ModuleResult.objects.update(percent=81)
    assert verifying.Walk.since(seal).finish().fault is None
    fresh = make_certificate()
    ModuleResult.objects.filter(assignment=fresh.completion.assignment).update(percent=82)
    assert verifying.Walk.since(seal).finish().fault.detail["of"] == fresh.completion.employee.uid
    assert verifying.verify().fault.detail["count"] == 4


def test_a_comparison_can_be_put_down_and_taken_up_at_every_batch(record, make_certificate, monkeypatch):
    make_certificate()
    ModuleResult.objects.update(percent=81)
    monkeypatch.setattr(rows, "AT_A_TIME", 1)
    at_once = verifying.told(verifying.verify())
    walk, steps = verifying.Walk(), 0
    while not walk.is_finished:
        walk.advance(1)
        walk, steps = (verifying.Walk(state=walk.state()) if not walk.is_finished else walk), steps + 1
    assert verifying.told(walk) == at_once
    assert steps > walk.seq + 6


def test_who_changes_while_being_looked_at_is_looked_at_again(record, monkeypatch):
    """As if a completion were written between reading the log and reading the rows."""
    table, person = rows.import_string("training.checks.COMPLETIONS"), record.completion.employee.uid
    heads = iter([{person: 1}, {person: 2}])
    monkeypatch.setattr(rows, "_newest", lambda *about: next(heads, {}))
    folds = iter(["the row is not told of yet"])
    early = replace(table, fold=lambda told: {} if next(folds, None) else table.fold(told))
    assert list(rows.of_people(early, [person])) == []
    assert [one.code for one in rows.of_people(replace(table, fold=lambda told: {}), [person])] == ["row_alone"]


def test_rows_of_which_the_log_may_not_speak_any_more_are_no_false_alarm(record):
    verbs = ("training.completed", "training.certificate_revoked")
    services.revoke(certificate=record, reason="Why", by="system:test")
    seqs = list(Entry.objects.filter(verb__in=verbs).values_list("seq", flat=True))
    terms = {"rule": "R-1", "citation": "Law 1", "asked_by": "a", "approved_by": "b", "by": "system:test"}
    ledger.dispose(seqs=seqs, **terms)
    assert fault() is None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE training_completion SET completed_at = '2020-01-01 00:00:00'")
    assert fault() is None  # nothing tells any longer what it was


def test_open_attempts_and_drafts_are_no_false_alarm(make_assignment, finish_lessons):
    assignment = finish_lessons(make_assignment())
    module = assignment.edition.modules.first()
    services_attempt = services.start_quiz(
        assignment=assignment, module=module, language="en", by=assignment.employee.uid
    )
    assert services_attempt.is_open
    assert fault() is None


def test_completions_from_a_file_are_compared_by_moment_and_older_entries_by_day():
    def of(at: str, **extra) -> bool:
        body = {"course": "c", "cycle": 1, "edition": 1, "completed_on": "2026-03-01", "expires_on": "2027-02-28"}
        body |= {"percent": 90, "file": "f", "line": 3, **extra}
        record = said.completions([rows.Told(1, timezone.now(), said.IMPORTED, body)])["c", "1"]
        told = record.fields["completed_at"][0]
        return told.fits(at) if isinstance(told, rows.Near) else told == at

    noon_in_hong_kong = "2026-03-01T04:00:00.000000Z"
    assert of(noon_in_hong_kong)
    assert not of("2026-03-02T04:00:00.000000Z")
    assert of(noon_in_hong_kong, completed_at=noon_in_hong_kong)
    assert not of("2026-03-01T05:00:00.000000Z", completed_at=noon_in_hong_kong)
