"""What compliance of the demo firm holds, and the disposal that it has asked for: told by day, as the story is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from archive import services as archive
from archive.models import Disposal, Finding, Hold
from archive.services import Criteria
from portal.jobs import services as jobs
from portal.people.models import Employee

COMPLAINT, INQUIRY = "Complaint of a bond client", "Inquiry into off-channel talk"


@dataclass(frozen=True)
class Keeper:
    """The compliance officer, and the colleague who decides about what the officer asks for."""

    officer: Employee
    second: Employee

    def days(self, today: date) -> Iterator[tuple[date, Callable[[], object]]]:
        """Yield what is done on which day."""
        yield today - timedelta(days=70), self.hold_complaint
        yield today - timedelta(days=21), self.lift_complaint
        yield today - timedelta(days=12), self.hold_inquiry
        yield today - timedelta(days=9), self.refused
        yield today - timedelta(days=2), self.ask

    def hold_complaint(self) -> None:
        who = Employee.objects.get(email="manager@example.com")
        archive.make_hold(
            name=COMPLAINT,
            reason="The client complains about what was said of a bond; counsel asks to keep it.",
            criteria=Criteria(employee=who),
            by=self.officer,
        )

    def lift_complaint(self) -> None:
        hold = Hold.objects.get(name=COMPLAINT)
        archive.lift_hold(hold=hold, reason="Settled with the client; counsel agrees.", by=self.second)

    def hold_inquiry(self) -> None:
        """Whoever has the newest confirmed case of off-channel talk, if anybody has."""
        cases = Finding.objects.filter(kind=Finding.Kind.OFF_CHANNEL, state=Finding.State.CONFIRMED)
        newest = cases.order_by("-opened_at", "-pk").first()
        if newest:
            archive.make_hold(
                name=INQUIRY,
                reason="The case may go to the regulator.",
                criteria=Criteria(employee=newest.employee, first_on=newest.about_on - timedelta(days=60)),
                by=self.officer,
            )

    def refused(self) -> None:
        asked = self.ask("Trial of the new schedules.")
        reason = "The inquiry comes first: see that its hold is complete."
        archive.decide_disposal(disposal=asked, approve=False, reason=reason, by=self.second)

    def ask(self, reason: str = "Quarterly disposal under the retention schedules.") -> Disposal:
        """Ask for a disposal as of the day, and let it be counted."""
        asked = archive.ask_disposal(as_of=timezone.localdate(), reason=reason, by=self.officer)
        jobs.work(asked.count_job_id, archive.count_some)
        asked.refresh_from_db()
        return asked
