"""Addresses from which mail comes back: at once, or by a report."""

from email.message import EmailMessage
from io import BytesIO, TextIOWrapper

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse

from portal.jobs import services as jobs
from portal.ledger.models import Entry
from portal.reminders import bounces, looking, rounds
from portal.reminders.models import Bounce, Delivery
from tests.reminders.conftest import at, go

pytestmark = pytest.mark.django_db

REPORT = """\
From: MAILER-DAEMON@mx.example.com
To: bounces@onchannel.example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I am sorry to have to inform you.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Mon, 9 Nov 2026 09:30:00 +0800

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <{to}>:
    no such user here

--B
Content-Type: {kind}

{head}Message-ID: {message_id}
Subject: A reminder

{body}
--B--
"""


def report(message_id: str, to: str, *, action="failed", status="5.1.1", kind="message/rfc822") -> bytes:
    body = "Words.\n" if kind == "message/rfc822" else ""
    told = {"message_id": message_id, "to": to, "action": action, "status": status, "kind": kind}
    return REPORT.format(**told, head="", body=body).encode()


@pytest.fixture
def sent(postman, owing):
    """A digest that the mail server took."""
    owing(due_in=7, email="ann@example.com")
    assert go() == 1
    return postman


def test_an_address_that_is_refused_for_good_is_not_written_to_until_hr_has_settled_it(
    postman, owing, sign_in, make_employee
):
    who = owing(due_in=14, email="gone@example.com")
    postman.answers["gone@example.com"] = "550 5.1.1 no such user"
    assert go() == 0
    bounce = Bounce.objects.get()
    assert (bounce.status, bounce.is_lasting, bounce.how) == ("5.1.1", True, "refused")
    assert Delivery.objects.get().state == "bounced"
    assert Entry.objects.filter(verb="reminders.bounced", subject=who.uid).count() == 1
    postman.answers.clear()
    assert go(7) == 0
    assert Delivery.objects.count() == 1
    hr = sign_in(make_employee(roles=("HR",)))
    page = hr.get(reverse("reminders:bounce_list")).text
    assert "gone@example.com" in page
    assert "There is no such address. Correct it in HR’s list" in page
    hr.post(reverse("reminders:bounce_settle", args=[bounce.pk]))
    hr.post(reverse("reminders:bounce_settle", args=[bounce.pk]))
    assert Entry.objects.filter(verb="reminders.bounce_settled").count() == 1
    assert go(10) == 0
    assert go(11) == 1  # a day before it is due is a Sunday: the Friday before


def test_another_address_in_hrs_list_is_written_to(postman, owing):
    who = owing(due_in=14, email="gone@example.com")
    postman.answers["gone@example.com"] = "550 5.1.1 no such user"
    go()
    who.email = "new@example.com"
    who.save()
    assert go(7) == 1


def test_what_the_calendar_did_not_get_because_the_mail_bounced_comes_with_the_next(postman, owing):
    who = owing(due_in=14, email="gone@example.com")
    postman.answers["gone@example.com"] = "550 5.1.1 no such user"
    go()
    who.email = "new@example.com"
    who.save()
    go(7)
    assert "text/calendar" in postman.mails[0].decode()


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_is_read_once_and_marks_the_delivery(sent, kind):
    raw = report(sent.ids[0], "Ann@Example.com", kind=kind)
    assert bounces.take(raw) == 1
    assert bounces.take(raw) == 0
    bounce = Bounce.objects.get()
    assert (bounce.status, bounce.how) == ("5.1.1", "report")
    assert bounce.said == "550 5.1.1 <Ann@Example.com>: no such user here"
    assert Delivery.objects.get().state == "bounced"


def test_a_report_of_a_delay_is_no_bounce_and_one_that_gave_up_does_not_last(sent):
    assert bounces.take(report(sent.ids[0], "ann@example.com", action="delayed", status="4.4.1")) == 0
    assert bounces.take(report(sent.ids[0], "ann@example.com", status="4.4.7")) == 1
    assert not Bounce.objects.get().is_lasting
    assert go(7) == 1


def test_nobody_can_silence_somebody_by_a_report_that_they_made_up(sent):
    made_up = f"<reminder.{'0' * 32}@localhost>"
    assert bounces.take(report(made_up, "ann@example.com")) == 0
    assert bounces.take(report(sent.ids[0], "somebody@example.com")) == 0
    assert bounces.take(report("<x@y>", "ann@example.com")) == 0
    plain = EmailMessage()
    plain["Subject"] = "Out of office"
    plain.set_content("I am away.")
    for raw in (bytes(plain), b"", b"\xff\xfe\n\n\x00", b"Content-Type: multipart/report\n\nno parts"):
        assert bounces.take(raw) == 0
    assert bounces.take(b"X-A: " + b"a" * 100_000 + b"\n" + report(sent.ids[0], "ann@example.com")) == 0
    assert not Bounce.objects.exists()


def test_the_command_reads_a_maildir_a_file_and_standard_input(sent, tmp_path, capsys, monkeypatch):
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    raw = report(sent.ids[0], "ann@example.com")
    (tmp_path / "new" / "1.mx").write_bytes(raw)
    (tmp_path / "new" / "2.mx").write_bytes(b"Subject: hello\n\nno report")
    call_command("read_bounces", str(tmp_path))
    call_command("read_bounces", str(tmp_path))
    assert capsys.readouterr().out.splitlines() == ["read: 2, bounced: 1", "read: 0, bounced: 0"]
    assert sorted(path.name for path in (tmp_path / "cur").iterdir()) == ["1.mx:2,S", "2.mx:2,S"]
    file = tmp_path / "report.eml"
    file.write_bytes(raw)
    call_command("read_bounces", str(file))
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(raw)))
    call_command("read_bounces", "-")
    assert capsys.readouterr().out.splitlines() == ["read: 1, bounced: 0", "read: 1, bounced: 0"]
    with pytest.raises(CommandError):
        call_command("read_bounces", str(tmp_path / "nothing"))


def test_advice_fits_the_status_and_who_has_no_channel_is_told_of_in_the_preview(
    postman, owing, sign_in, make_employee
):
    owing(due_in=14, email="gone@example.com")
    postman.answers["gone@example.com"] = "552 5.2.2 mailbox full"
    go()
    bounce = Bounce.objects.select_related("employee").get()
    assert "mailbox is full" in looking.advice_on(bounce)
    for status, words in {"5.7.1": "IT has to allow", "5.5.0": "Ask IT", "5.1.2": "no such address"}.items():
        bounce.status = status
        assert words in looking.advice_on(bounce)
    bounce.is_lasting = False
    assert "did not arrive in time" in looking.advice_on(bounce)
    bounce.address = "older@example.com"
    assert "another address by now" in looking.advice_on(bounce)
    with time_machine.travel(at(6), tick=False):
        hr = make_employee(roles=("HR",))
        jobs.work(rounds.ask_preview(by=hr).job_id, rounds.foresee_some)
        page = sign_in(hr).get(reverse("reminders:preview")).text
    assert "cannot be reached" in page
