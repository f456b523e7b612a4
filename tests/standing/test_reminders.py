"""One click, one mail, at most one a day, in the person's own language."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from portal.ledger.models import Entry
from portal.standing import nudges, services, tasks
from portal.standing.models import Nudge
from tests import studying

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(make_employee):
    """Somebody whose course was due yesterday, under a manager."""
    who = make_employee(
        name_en="Wei", name_zh="伟", language="zh-hans", email="wei@example.com", manager=make_employee(name_en="Boss")
    )
    with time_machine.travel(timezone.now() - timedelta(days=30)):
        studying.assign(who, due_on=timezone.localdate() + timedelta(days=29))
    services.catch_up()
    return who


def remind(client, who, **data):
    return client.post(reverse("standing:remind", args=[who.uid]), data, follow=True)


def test_a_click_sends_one_mail_and_a_second_one_none(late, sign_in, django_capture_on_commit_callbacks, bells):
    client = sign_in(late.manager)
    with django_capture_on_commit_callbacks(execute=True):
        page = remind(client, late, back="team")
    assert "gets a reminder by mail" in page.text
    nudge = Nudge.objects.get()
    assert (nudges.SEND, [nudge.pk]) in bells
    tasks.send_nudge(nudge.pk)
    tasks.send_nudge(nudge.pk)
    tasks.send_nudges()
    (sent,) = mail.outbox
    assert sent.to == ["wei@example.com"]
    assert "提醒" in sent.subject
    assert "伟" in sent.body
    assert "Boss" in sent.body
    assert "http" in sent.body
    assert "{" not in sent.body
    assert "has been reminded today" in remind(client, late).text
    assert Nudge.objects.count() == 1
    assert Entry.objects.filter(verb="standing.reminded", subject=late.uid).count() == 1


def test_a_mail_server_that_is_away_is_tried_again(late, monkeypatch):
    nudge = nudges.remind(employee=late, by=late.manager)
    with monkeypatch.context() as patch:
        patch.setattr(nudges.EmailMessage, "send", lambda self: (_ for _ in ()).throw(ConnectionRefusedError()))
        with pytest.raises(ConnectionRefusedError):
            nudges.send(nudge.pk)
    nudge.refresh_from_db()
    assert nudge.sent_at is None
    assert nudges.send_waiting() == 1
    assert len(mail.outbox) == 1


def test_nobody_is_reminded_of_nothing(make_employee, sign_in):
    boss = make_employee()
    who = make_employee(manager=boss)
    studying.complete(studying.assign(who))
    services.catch_up()
    page = remind(sign_in(boss), who)
    assert "Nothing is due" in page.text
    assert not Nudge.objects.exists()


def test_nobody_reminds_themselves_or_a_boss(late, sign_in):
    assert remind(sign_in(late), late).status_code == 403
    assert remind(sign_in(late), late.manager).status_code == 404


def test_hr_may_remind_and_learns_nothing_of_the_archive(late, make_employee, sign_in):
    client = sign_in(make_employee(roles=("HR",)))
    assert "Remind by mail" in client.get(reverse("standing:person", args=[late.uid])).text
    assert "gets a reminder" in remind(client, late).text
