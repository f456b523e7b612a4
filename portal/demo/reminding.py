"""The demo firm's last days of reminders: rounds in every time zone, an address that bounced, a manager who acted."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from portal.jobs import services as jobs
from portal.people.models import Employee
from portal.reminders import bounces, escalating, handling, mailing, making, rounds
from portal.reminders import terms as policy
from portal.reminders.models import Delivery

DAYS = 12  # before today, on which rounds are made
BOUNCED, HANDLED = 5, 2  # so many days before today
REPORT = """\
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain

This mail could not be delivered.

--report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 <{address}>: mailbox full

--report
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--report--
"""


def days(today: date) -> Iterator[tuple[datetime, Callable[[], object]]]:
    """Yield when what is done."""
    for back in range(DAYS, 0, -1):
        day = today - timedelta(days=back)
        for zone in making.zones():
            yield datetime.combine(day, time(9, 10), ZoneInfo(zone)), rounds.work_now
    home = timezone.get_default_timezone()
    yield datetime.combine(today - timedelta(days=BOUNCED), time(14), home), bounce
    yield datetime.combine(today - timedelta(days=HANDLED), time(14), home), handle


def bounce() -> int:
    """Let the newest mail that nobody signs in with come back, by the report that a mail server writes."""
    sent = Delivery.objects.filter(state="sent", channel="mail", employee__groups=None).select_related("digest")
    one = sent.exclude(address__endswith="@example.com").order_by("-sent_at", "-pk").first()
    one = one or sent.order_by("-sent_at", "-pk").first()
    if one is None:
        return 0
    return bounces.take(REPORT.format(address=one.address, message_id=mailing.message_id(one.digest)).encode())


def handle() -> None:
    """Let the first manager who has somebody late look after one of them."""
    _number, terms = policy.current()
    managers = list(Employee.objects.filter(lines_down__depth=1).distinct().order_by("pk"))
    late = escalating.below([one.pk for one in managers], timezone.now(), terms)
    for manager in managers:
        if people := [one for one in late.get(manager.pk, []) if one.level == 1]:
            handling.handle(employee=people[0].employee, by=manager)
            return


def look_ahead() -> None:
    """Work out the first day to come on which somebody is written to, as HR asks for it."""
    hr = Employee.objects.get(email="hr@example.com")
    for day in rounds.days_ahead():
        preview = rounds.ask_preview(by=hr, on=day)
        jobs.work(preview.job_id, rounds.foresee_some)
        if preview.lines.exists():
            return
