"""What happens at the findings desk of the demo firm besides deciding: people tell of slips, are asked and answer,
words are read, a decision is taken back, and the monthly samples are reviewed, the newest half-way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from archive import services as archive
from archive.models import Finding, SampleItem
from portal.demo.people import Person
from portal.people.models import Employee

TOLD_DAYS = (60, 16, 3)  # before today: each tells of a slip of theirs
QUESTION = "The archive has had nothing from you for a while. Were you away, or did clients write elsewhere?"
ANSWER = "I was on a project without clients until last week; the assignment letter is with my manager."
REVIEWED = 20  # of the newest sample; the older ones are done


@dataclass(frozen=True)
class DeskDays:
    """The two officers, and the people of the firm, some of whom tell of themselves."""

    officer: Employee
    second: Employee
    people: Sequence[Person]

    def days(self, today: date) -> Iterator[tuple[date, Callable[[], object]]]:
        """Yield what is done on which day."""
        tellers = [one for one in self.people if one.level == 4 and one.talks_to_clients and not one.key]
        for teller, days in zip(tellers[2::5], TOLD_DAYS, strict=False):
            day = today - timedelta(days)
            yield day, lambda number=teller.number: self.tell(number)
        yield today - timedelta(days=6), self.samples
        yield today - timedelta(days=4), self.take_on_and_ask
        yield today - timedelta(days=3), self.answer
        yield today - timedelta(days=2), self.confirm_too_soon
        yield today - timedelta(days=1), self.see_it_otherwise

    def tell(self, number: str) -> None:
        who = Employee.objects.filter(employee_no=number).first()
        if who is None:
            return  # not hired yet on that day
        archive.report_slip(
            employee=who,
            happened_on=timezone.localdate() - timedelta(days=1),
            where="wechat",
            began="client",
            about="business",
            has_moved=True,
            has_kept=True,
            note="The client found my private number; I asked them to write on WeCom.",
        )

    def samples(self) -> None:
        """Review what was drawn: all of the older months, the beginning of the newest."""
        waiting = SampleItem.objects.filter(reviewer=None).select_related("sample").order_by("-sample__month", "number")
        newest = waiting.first()
        for item in waiting:
            if item.sample_id == newest.sample_id and item.number > REVIEWED:
                continue
            is_concern = item.number == 7
            action = "Asked the desk to name the product in full next time." if is_concern else ""
            archive.review_item(
                item=item, result="concern" if is_concern else "fine", action=action, reviewer=self.officer
            )

    def _silent(self) -> list[Finding]:
        return list(Finding.objects.open().filter(kind=Finding.Kind.SILENT_SEAT).order_by("-opened_at", "pk")[:3])

    def take_on_and_ask(self) -> None:
        for finding in self._silent()[:2]:
            archive.claim_finding(finding=finding, reviewer=self.officer)
            archive.ask_person(finding=finding, question=QUESTION, reviewer=self.officer)
        for finding in self._silent()[2:]:
            archive.claim_finding(finding=finding, reviewer=self.second)
            archive.note_on_finding(finding=finding, text="Rang the desk: nobody picks up.", reviewer=self.second)
            archive.release_finding(finding=finding, reviewer=self.second)

    def answer(self) -> None:
        """One of those who were asked has answered; the other has not yet."""
        asked = Finding.objects.open().filter(asked_at__isnull=False, answered_at=None).order_by("pk").first()
        if asked:
            archive.answer_question(finding=asked, text=ANSWER, by=asked.employee)

    def confirm_too_soon(self) -> None:
        finding = Finding.objects.filter(kind=Finding.Kind.OFF_CHANNEL, state=Finding.State.NEW).order_by("pk").last()
        if finding:
            archive.read_words(finding=finding, reason="To decide about it.", reviewer=self.officer)
            archive.review_finding(
                finding=finding, decision="confirmed", reason="Moved to a private chat.", reviewer=self.officer
            )

    def see_it_otherwise(self) -> None:
        """The second pair of eyes sends back what the officer has confirmed last."""
        confirmed = Finding.objects.filter(kind=Finding.Kind.OFF_CHANNEL, state=Finding.State.CONFIRMED)
        finding = confirmed.filter(seconded_by=None).order_by("decided_at", "pk").last()
        if finding:
            archive.send_back_finding(
                finding=finding, reviewer=self.second, reason="The client asks for it, she does not answer. Look again."
            )
