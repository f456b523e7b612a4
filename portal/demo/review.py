"""What the compliance officer of the demo firm decides about findings, once a week, with reasons."""

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.utils import timezone

from archive import casework
from archive import services as archive
from archive.models import Finding
from portal.demo import conduct
from portal.demo.people import SEED
from portal.people.models import Employee
from portal.standing import case, remedies
from portal.standing.models import RemedyTask

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
        self,
        employee: Employee,
        second: Employee,
        *,
        conducts: Mapping[str, str],
        trained_on: Mapping[str, date | None],
        today: date,
    ) -> None:
        self.employee, self.second = employee, second
        self.conducts, self.trained_on, self.today = conducts, trained_on, today

    def work(self) -> int:
        """Look at every open finding that has waited long enough. Return how many were decided."""
        self._lessons()
        now, decided = timezone.now(), 0
        waiting = Finding.objects.open().filter(opened_at__lte=now - PATIENCE)
        for finding in waiting.select_related("employee").order_by("opened_at", "pk"):
            decision, reason = self._decision(finding, now)
            if decision and decision != finding.state and self._decide(finding, decision, reason):
                decided += 1
        return decided

    def _decide(self, finding: Finding, decision: str, reason: str) -> bool:
        """Decide as the desk lets one: who closes a breach has had it seconded, and the person has taken the lesson."""
        me = self.employee
        if decision != Finding.State.CLOSED:
            archive.review_finding(finding=finding, decision=decision, reason=reason, reviewer=me)
            return True
        evidence = case.evidence_for(finding)
        for how in casework.CLOSES.get(finding.kind, ()):
            lacks = casework.missing(
                finding.kind, how, is_seconded=finding.seconded_by_id is not None, evidence=evidence
            )
            if lacks == {casework.SECOND} and finding.state == Finding.State.CONFIRMED:
                archive.second_finding(finding=finding, reviewer=self.second, reason="Read the words too; agreed.")
                lacks = set()
            if not lacks:
                archive.review_finding(
                    finding=finding, decision=decision, reason=reason, reviewer=me, how=how, evidence=evidence
                )
                return True
        return False

    def _lessons(self) -> None:
        """Most people open the lesson that a finding called for in one week and finish it in the next."""
        remedies.catch_up()
        for task in RemedyTask.objects.open().select_related("lesson", "finding", "employee").order_by("assigned_at"):
            if timezone.localdate(task.assigned_at) >= self.today - LATELY:
                continue  # still on their page today
            if task.opened_at is None:
                remedies.open_task(task=task)
            else:
                remedies.finish_task(task=task, by=task.employee)

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
        if finding.kind == Finding.Kind.UNMATCHED_IDENTITY and "desk" not in finding.facts["folded"]:
            return "", ""  # nobody knows yet whose it is
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
