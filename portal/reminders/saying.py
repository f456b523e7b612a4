"""What a digest says, in the language that is active: the same words in the mail, in WeCom and on HR's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.reminders import owed


@dataclass(frozen=True)
class Line:
    """One thing to do. ``when``: in words; ``url``: where it is done, whole."""

    title: str
    kind: str
    when: str
    action: str
    url: str
    is_late: bool


@dataclass(frozen=True)
class LatePerson:
    name: str
    url: str
    late: list[str]


@dataclass(frozen=True)
class Words:
    """A digest in words: what is late, what is coming, who below is late, what is not owed any more."""

    subject: str
    late: list[Line]
    coming: list[Line]
    people: list[LatePerson]
    more_people: int
    done: list[str]

    @property
    def bars(self) -> bool:
        """Whether training is late: then messaging clients may be barred."""
        return any(line.kind == owed.TRAINING for line in self.late)


def words_of(content: Mapping, on: date, *, with_archive: bool = True) -> Words:
    """Return what the content says on the day. Without the archive: as HR may read it."""
    items = [one for one in content["items"] if with_archive or not one["archive"]]
    lines = [_line(one, on) for one in items]
    people = [_late_person(one, on) for one in content["people"]]
    done = [one["title"] for one in content["done"]]
    more = content.get("more_people", 0)
    subject = _subject(lines, len(people) + more, done)
    late, coming = [one for one in lines if one.is_late], [one for one in lines if not one.is_late]
    return Words(subject, late, coming, people, more, done)


def _line(one: Mapping, on: date) -> Line:
    due_on = date.fromisoformat(one["due_on"])
    ends = one["kind"] == owed.EXEMPTION
    return Line(
        title=_named(one["kind"], one["title"]),
        kind=one["kind"],
        when=_ends(due_on, on) if ends else due_in_words(due_on, on),
        action=_action(one["kind"]),
        url=settings.SITE_URL + one["path"],
        is_late=due_on < on and not ends,
    )


def _named(kind: str, title: str) -> str:
    match kind:
        case owed.REMEDY:
            return _("Lesson to read again: %(title)s") % {"title": title}
        case owed.POLICY:
            return _("To sign: %(title)s") % {"title": title}
        case owed.EXEMPTION:
            return _("Exemption from “%(title)s”") % {"title": title}
    return title


def _action(kind: str) -> str:
    match kind:
        case owed.REMEDY:
            return _("Read the lesson")
        case owed.POLICY | owed.STATEMENT:
            return _("Read and sign")
        case owed.EXEMPTION:
            return _("Look at the course")
    return _("Go to the course")


def due_in_words(due_on: date, on: date) -> str:
    """Return when something is due, with the date and how far it is away."""
    day, days = date_format(due_on, "DATE_FORMAT"), (due_on - on).days
    if days == 0:
        return _("due today, %(day)s") % {"day": day}
    if days < 0:
        late = ngettext("was due on %(day)s, %(n)s day ago", "was due on %(day)s, %(n)s days ago", -days)
        return late % {"day": day, "n": -days}
    return ngettext("due on %(day)s, in %(n)s day", "due on %(day)s, in %(n)s days", days) % {"day": day, "n": days}


def _ends(on: date, today: date) -> str:
    day, days = date_format(on, "DATE_FORMAT"), (on - today).days
    if days <= 0:
        return _("ends today; the course is due again after it")
    said = ngettext(
        "ends on %(day)s, in %(n)s day; the course is due again after it",
        "ends on %(day)s, in %(n)s days; the course is due again after it",
        days,
    )
    return said % {"day": day, "n": days}


def _late_person(one: Mapping, on: date) -> LatePerson:
    late = [
        _("%(title)s: %(when)s")
        % {"title": _named(what["kind"], what["title"]), "when": due_in_words(date.fromisoformat(what["due_on"]), on)}
        for what in one["late"]
    ]
    return LatePerson(one["name"], settings.SITE_URL + reverse("standing:person", args=[one["uid"]]), late)


def _subject(lines: list[Line], people: int, done: list[str]) -> str:
    late = sum(line.is_late for line in lines)
    if len(lines) == 1:
        return _("%(title)s: %(when)s") % {"title": lines[0].title, "when": lines[0].when}
    if late:
        said = ngettext(
            "%(n)s thing to do, %(late)s of them overdue", "%(n)s things to do, %(late)s of them overdue", 9
        )
        return said % {"n": len(lines), "late": late}
    if lines:
        return ngettext("%(n)s thing is due soon", "%(n)s things are due soon", len(lines)) % {"n": len(lines)}
    if people:
        said = ngettext(
            "%(n)s person in your reporting line is overdue",
            "%(n)s people in your reporting line are overdue",
            people,
        )
        return said % {"n": people}
    return _("Nothing more is due for “%(title)s”") % {"title": done[0]} if done else ""
