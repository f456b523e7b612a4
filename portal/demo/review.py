"""What the compliance officer of the demo firm decides about findings, once a week, with reasons."""

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.utils import timezone

from archive.models import Finding
from archive.services import findings
from portal.demo import conduct
from portal.demo.people import SEED
from portal.people.models import Employee

PATIENCE = timedelta(days=3)  # a finding is looked at when it is so old
LATELY = timedelta(days=28)  # before today: from here on the worst cases are still open
BREACHES = (Finding.Kind.OFF_CHANNEL, Finding.Kind.DELETION_REQUEST)
OF_SOURCES = {
    Finding.Kind.HOLE: "Asked for again; the records are lost. Noted for the regulator.",
    Finding.Kind.CONFLICT: "The puller had joined two versions of one message; the first one stands.",
    Finding.Kind.CAPTURE_LATE: "The puller stood still over midday while its machine was moved.",
    Finding.Kind.UNREADABLE: "Written around the change of keys; the old key is in the safe.",
    Finding.Kind.UNMATCHED_IDENTITY: "A shared desk account; switched off.",
}


class Reviewer:
    """Decides as a busy person does: most of it in a week, some of it late, the latest not yet."""

    def __init__(
        self, employee: Employee, *, conducts: Mapping[str, str], trained_on: Mapping[str, date | None], today: date
    ) -> None:
        self.employee, self.conducts, self.trained_on, self.today = employee, conducts, trained_on, today

    def work(self) -> int:
        """Look at every open finding that has waited long enough. Return how many were decided."""
        now, decided = timezone.now(), 0
        waiting = Finding.objects.open().filter(opened_at__lte=now - PATIENCE)
        for finding in waiting.select_related("employee").order_by("opened_at", "pk"):
            decision, reason = self._decision(finding, now)
            if decision and decision != finding.state:
                findings.review_finding(finding=finding, decision=decision, reason=reason, reviewer=self.employee)
                decided += 1
        return decided

    def _decision(self, finding: Finding, now: datetime) -> tuple[str, str]:
        """Return (decision, reason); an empty decision leaves the finding as it is."""
        if finding.employee is None:
            return self._about_source(finding, now)
        number = finding.employee.employee_no
        is_late = timezone.localdate(finding.opened_at) >= self.today - LATELY
        if finding.kind in BREACHES:
            return self._breach(finding, number, now, is_late)
        if finding.kind == Finding.Kind.CONSENT_MISSING:
            return "", ""  # closes by itself when the client answers
        if is_late:
            return "", ""
        if finding.kind == Finding.Kind.UNSEATED_CLIENT_TALK and not _has_team_in_trouble(finding.employee):
            return Finding.State.CLOSED, "Left the client room until the seat was there."
        if finding.kind == Finding.Kind.UNSEATED_CLIENT_TALK:
            return Finding.State.CONFIRMED, "Told twice; a seat has been ordered."
        return Finding.State.CLOSED, "Spoken with the person and the manager; explained."

    def _about_source(self, finding: Finding, now: datetime) -> tuple[str, str]:
        is_old = now - finding.opened_at > timedelta(days=10)
        reason = OF_SOURCES.get(finding.kind)
        return (Finding.State.CLOSED, reason) if reason and is_old else ("", "")

    def _breach(self, finding: Finding, number: str, now: datetime, is_late: bool) -> tuple[str, str]:
        chance = random.Random(f"review/{SEED}/{finding.kind}/{number}/{finding.opened_at.date()}")  # noqa: S311
        if self.conducts.get(number) not in (conduct.OFF_CHANNEL, conduct.DELETION):
            return Finding.State.DISMISSED, "A client's words, answered as the policy asks."
        trained = self.trained_on.get(number)
        if trained and trained <= timezone.localdate(now) and finding.state == Finding.State.CONFIRMED:
            return Finding.State.CLOSED, "Has taken the course since; nothing of the kind in the weeks after."
        if finding.state == Finding.State.CONFIRMED:
            is_old = now - finding.opened_at > timedelta(days=45)
            closes = is_old and not is_late
            return (Finding.State.CLOSED, "Warned in writing by the manager.") if closes else ("", "")
        if chance.random() < 0.15:
            return Finding.State.DISMISSED, "About a dinner, not about business."
        return Finding.State.CONFIRMED, "Business was taken to a channel that is not kept."


def _has_team_in_trouble(employee: Employee) -> bool:
    return bool(employee.manager and employee.manager.email == "manager@example.com")
