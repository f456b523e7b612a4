"""Builds the demo firm: plays fourteen months of it, in order of time, through the services that the pages call."""

import gc
import json
import time as stopwatch
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from archive import services as archive
from archive.models import Source
from portal.demo import census, conduct, deliveries, feed, firm, freshening, people, reminding, signing, story
from portal.demo.clock import Clock, no_bells
from portal.demo.desk_days import DeskDays
from portal.demo.firm import BEGUN, BY, FINISHED
from portal.demo.keeping import Keeper
from portal.demo.people import Person
from portal.demo.review import Reviewer
from portal.demo.study import Classroom
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from portal.standing import knowledge, trend
from portal.standing import services as standing
from quizzes import analysis
from training import assignments, certificates
from training.models import Certificate, Completion, Course, Rule

COURSE = "wechat-archiving"
RULE = "Everybody on staff"
POLICY_DAYS = 60  # since the policy was published; half of them later it was signed
DRAWN = 5  # certificates that are there at once; workers draw the rest

Say = Callable[[str], None]


class NotHere(RuntimeError):
    """This database or this installation is none for a demonstration; the message says why and what to do."""


@dataclass(frozen=True)
class Event:
    at: datetime
    act: Callable[[], object]
    is_step: bool = False  # small: a day's steps are committed together


def refuse_elsewhere(today: date) -> None:
    """Raise NotHere where a demonstration would do harm, or was begun and not finished."""
    if settings.HTTPS and not set(settings.ALLOWED_HOSTS) <= settings.LOCAL_HOSTS:
        raise NotHere(
            "The demo firm has known passwords, and ALLOWED_HOSTS names a host that others reach. "
            "Run it with ALLOWED_HOSTS=localhost,127.0.0.1."
        )
    if Entry.objects.filter(verb=BEGUN, subject=BY).exists():
        raise NotHere("The demo firm was begun and not finished. Run `make demo-reset` to begin anew.")
    if Employee.objects.exists():
        raise NotHere("There are people in this database who are not of the demo firm. Use an empty DATA_DIR.")
    if today > timezone.localdate():
        raise NotHere(f"{today} has not come yet: the firm's past must be past.")


def build(*, today: date, size: int, weeks: int, say: Say) -> None:
    """Build the firm as it stands on the morning of ``today``. Raises NotHere."""
    refuse_elsewhere(today)
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])  # millions of short-lived rows: looking for cycles at each step is a waste
    try:
        _Builder(today, size, weeks, _with_time(say)).run()
    finally:
        gc.set_threshold(*usual)


def _with_time(say: Say) -> Say:
    began = stopwatch.monotonic()
    return lambda words: say(f"{stopwatch.monotonic() - began:6.1f} s  {words}")


class _Builder:
    def __init__(self, today: date, size: int, weeks: int, say: Say) -> None:
        self.today, self.weeks, self.say = today, weeks, say
        self.zone = timezone.get_default_timezone()
        self.folder = Path(settings.DATA_DIR) / "demo"
        self.people = people.everybody(today, size)
        self.plans = story.plans(self.people, today)
        self.trained_on = story.trained_on(self.plans)
        self.lapses = story.lapses(self.plans, today)
        self.began_on = today - timedelta(days=story.PILOT_DAYS)
        self.clock = Clock(self.at(self.began_on, 8))

    @cached_property
    def feeds(self) -> Path:
        folder = self.folder / "feed"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), self.zone)

    def run(self) -> None:
        with self.clock.running(), no_bells():
            call_command("load_courses", stdout=_Quiet())  # a mistake in a course stops here, with nothing begun
            self._mark(BEGUN)
            self._found()
            self._play(sorted(self._events(), key=lambda event: event.at))
            self.clock.move_to(self.at(self.today, 0))
            self._finish()
            self._mark(FINISHED)

    @transaction.atomic
    def _mark(self, verb: str) -> None:
        body = {"today": self.today.isoformat(), "people": len(self.people), "weeks": self.weeks}
        ledger.append(verb=verb, actor=BY, subject=BY, body=body)

    def _found(self) -> None:
        firm.found()
        here = [person for person in self.people if person.joined_on <= self.began_on]
        self.hire(here)
        firm.open_accounts()
        self.course = Course.objects.get(slug=COURSE)
        self.room = Classroom(self.course)
        self.say(f"{len(here)} people, the first HR file; course {self.course}")

    def hire(self, newcomers: list[Person]) -> None:
        """Read HR's file of these people as of now, and take over their WeCom userids."""
        firm.hire(newcomers, self.folder / "hr" / f"people-{timezone.localtime():%Y-%m-%d-%H%M}.csv")
        archive.sync_identities(by=BY)

    # --- what happens when ---------------------------------------------------------------------------------------
    def _events(self) -> Iterator[Event]:
        yield from self._joining()
        yield from self._assigning()
        for plan in self.plans.values():
            for step in story.steps(plan, self.room.sizes):
                yield Event(step.at, partial(self.room.play, step), is_step=True)
        yield from self._weeks()
        yield from self._keeping()
        yield from self._desk_days()
        yield from self._mailbox()
        yield from self._looks()
        for at, act in (*reminding.days(self.today), *freshening.days(self.today, self.weeks)):
            if at.date() >= self.began_on:
                yield Event(at, act)

    def _joining(self) -> Iterator[Event]:
        """HR sends a file each Monday in whose week, or the next, somebody starts; the last one yesterday."""
        later = sorted((p for p in self.people if p.joined_on > self.began_on), key=lambda p: (p.joined_on, p.number))
        last = self.today - timedelta(days=1)
        for told_on, group in groupby(later, key=lambda p: min(_monday(p.joined_on) - timedelta(days=3), last)):
            yield Event(self.at(max(told_on, self.began_on), 9), partial(self.hire, list(group)))

    def _assigning(self) -> Iterator[Event]:
        for plan in self.plans.values():
            if plan.exempt:
                yield Event(self.at(plan.exempt[0], 10), partial(self._exempt, plan))
            for assigned_on, due_on in plan.by_hand:
                yield Event(self.at(assigned_on, 10, 30), partial(self._assign, plan, due_on))
        rule_on = self.today - timedelta(days=story.RULE_DAYS)
        yield Event(self.at(rule_on, 9), partial(self._rule, rule_on))
        day = rule_on
        while day < self.today:  # daily of late, so that nobody who has just joined waits
            yield Event(self.at(day, 9, 5), self._apply_rules)
            day += timedelta(days=1 if (self.today - day).days <= story.DUE_DAYS else 7)

        published_on = max(self.today - timedelta(days=POLICY_DAYS), self.began_on)
        officer = Employee.objects.get(email="compliance@example.com")
        yield Event(self.at(published_on, 9, 30), partial(signing.publish, officer.uid))
        yield Event(self.at(self.today - timedelta(days=POLICY_DAYS // 2), 17), signing.sign)

    def _exempt(self, plan: story.Plan) -> None:
        first, last, why = plan.exempt
        approver = Employee.objects.get(email="compliance@example.com")
        assignments.exempt(
            employee=self.room.person(plan.person.number),
            course=self.course,
            reason=why,
            starts_on=first,
            ends_on=last,
            approved_by=approver,
            by=approver.uid,
        )

    def _assign(self, plan: story.Plan, due_on: date) -> None:
        hr = Employee.objects.get(email="hr@example.com")
        employee = self.room.person(plan.person.number)
        assignments.assign(employee=employee, course=self.course, due_on=due_on, by=hr.uid)

    def _rule(self, starts_on: date) -> Rule:
        hr = Employee.objects.get(email="hr@example.com")
        return assignments.set_rule(
            course=self.course, name=RULE, due_days=story.DUE_DAYS, starts_on=starts_on, by=hr.uid
        )

    def _apply_rules(self) -> int:
        return assignments.apply_rules(today=timezone.localdate())

    def _weeks(self) -> Iterator[Event]:
        """Each week's feed file is complete on Sunday night; on Wednesdays compliance looks at what it brought."""
        compliance = Employee.objects.get(email="compliance@example.com")
        given = conduct.conducts(self.people, self.today)
        second = Employee.objects.get(email="compliance2@example.com")
        reviewer = Reviewer(compliance, second, conducts=given, trained_on=self.trained_on, today=self.today)
        self.puller = deliveries.Puller(compliance, BY)
        written = feed.weeks_of(
            self.people,
            today=self.today,
            weeks=self.weeks,
            trained_on=self.trained_on,
            lapses=self.lapses,
            zone=self.zone,
        )
        for number, week in enumerate(written, start=1):
            yield Event(week.closes_at, partial(self._import, week, number))
            if (wednesday := week.monday + timedelta(days=2)) < self.today:
                yield Event(self.at(wednesday, 11), reviewer.work)
            if 6 < week.monday.day <= 13:  # the month before becomes final
                yield Event(self.at(week.monday, 2), archive.refresh_findings)

    def _keeping(self) -> Iterator[Event]:
        officer, second = (Employee.objects.get(email=f"{one}@example.com") for one in ("compliance", "compliance2"))
        for day, act in Keeper(officer, second).days(self.today):
            if day >= self.began_on:
                yield Event(self.at(day, 15), act)

    def _desk_days(self) -> Iterator[Event]:
        officer, second = (Employee.objects.get(email=f"{one}@example.com") for one in ("compliance", "compliance2"))
        for day, act in DeskDays(officer, second, self.people).days(self.today):
            if day >= self.began_on:
                yield Event(self.at(day, 16), act)

    def _import(self, week: feed.Week, number: int) -> None:
        source: Source = archive.get_source(name=deliveries.WECOM, by=BY)
        if week.answer:
            self._ask(source, week.answer, self.feeds / f"answers-{week.monday}.json")
        if number > self.weeks - deliveries.PUSHED_WEEKS:
            self.puller.push(week.lines)
        else:
            self.puller.leave_file(self.feeds / week.name, week.lines)
        self.say(f"feed of {week.monday}, week {number} of {self.weeks}: {len(week.lines)} lines")

    def _mailbox(self) -> Iterator[Event]:
        officer, begins = (
            Employee.objects.get(email="compliance@example.com"),
            feed.first_monday(self.today, self.weeks),
        )
        mailbox = deliveries.Mailbox.of(self.people, officer, BY, since=begins)
        for at, deliver in deliveries.events(mailbox, self.feeds, begins, self.today):
            yield Event(at, deliver)

    def _ask(self, source: Source, answer: feed.Answer, path: Path) -> None:
        """Read a copy of the permit list, and once what the clients had said before the feed began."""
        path.write_text(json.dumps(answer.data, ensure_ascii=False), encoding="utf-8")
        archive.import_state(
            source=source,
            data=archive.read_state(path.read_bytes()),
            taken_at=answer.asked_at,
            holds_from=answer.since,
            by=BY,
        )

    def _looks(self) -> Iterator[Event]:
        """The roof looks every minute in truth; in the story once a day, before anybody writes to a client.

        Before the feed begins nobody needs to know to the day, and every other week is enough.
        """
        day, feed_begins = _monday(self.began_on) + timedelta(days=6), feed.first_monday(self.today, self.weeks)
        while day < self.today:
            yield Event(self.at(day, 23, 50), standing.catch_up)
            day += timedelta(days=1 if day >= feed_begins - timedelta(days=14) else 14)

    # --- playing -------------------------------------------------------------------------------------------------
    def _play(self, events: list[Event]) -> None:
        """Play the events in order. The steps between two larger events of a day are committed at once."""
        self.say(f"{len(events)} events to play, from {self.began_on} to {self.today}")
        for month, of_month in groupby(events, key=lambda event: f"{timezone.localtime(event.at):%Y-%m}"):
            for (_, is_step), group in groupby(of_month, key=lambda e: (timezone.localdate(e.at), e.is_step)):
                with transaction.atomic() if is_step else nullcontext():
                    self._act(group)
            self.say(f"{month}: {Completion.objects.count()} completions so far")

    def _act(self, events: Iterable[Event]) -> None:
        for event in events:
            self.clock.move_to(event.at)
            event.act()

    def _finish(self) -> None:
        self._apply_rules()
        archive.refresh_findings(today=self.today)
        wanted = Certificate.objects.filter(completion__employee__email="finished@example.com")
        newest = Certificate.objects.order_by("-pk")
        for certificate in [*wanted, *newest[:DRAWN]][:DRAWN]:
            certificates.draw(certificate)
        changed = standing.catch_up()
        reminding.look_ahead()
        knowledge.take_stock(self.today)
        trend.take(self.today)
        archive.verify(by=BY)
        seen = analysis.keep(*analysis.compute())
        self.say(f"{seen['answers']} answers to {seen['questions']} questions analysed")
        self.say(f"{DRAWN} certificates drawn; {changed} standings brought up to date")
        if lacks := census.missing():
            self.say(f"not to be seen in this firm: {', '.join(lacks)}")


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


class _Quiet:
    """Swallows what a command prints."""

    def write(self, words: str) -> int:
        return len(words)

    def flush(self) -> None: ...
