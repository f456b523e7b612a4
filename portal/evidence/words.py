"""What an Entry says, in words: one sentence in the reader's language, without anything that the reader may not see."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from archive.models import Finding
from portal.signon.rules import Refusal
from portal.standing.rules import ArchiveState, TrainingState
from quizzes.models import Quiz
from training.models import Assignment, Edition, Lesson, Module, PolicyVersion
from training.rules import told


@dataclass
class Titles:
    """Titles of what Entries name by their slugs, in the reader's language, as the newest edition has them."""

    courses: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    lessons: dict[str, str] = field(default_factory=dict)
    quizzes: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)


def titles_for(said: Iterable[Mapping]) -> Titles:
    """Return the titles that these Bodies need. Five queries at most."""
    named: dict[str, set[str]] = {name: set() for name in ("course", "module", "lesson", "quiz", "policy")}
    for body in said:
        for name, slugs in named.items():
            if isinstance(body.get(name), str):
                slugs.add(body[name])
    lang = get_language() or "en"

    def of(rows: Iterable[tuple[str, Mapping]]) -> dict[str, str]:
        return {slug: told(title, lang) for slug, title in rows}

    editions = Edition.objects.filter(course__slug__in=named["course"]).order_by("number")
    modules = Module.objects.filter(slug__in=named["module"]).order_by("edition__number")
    lessons = Lesson.objects.filter(slug__in=named["lesson"]).order_by("module__edition__number")
    quizzes = Quiz.objects.filter(slug__in=named["quiz"])
    policies = PolicyVersion.objects.filter(policy__slug__in=named["policy"]).order_by("number")
    return Titles(
        of(editions.values_list("course__slug", "title")) if named["course"] else {},
        of(modules.values_list("slug", "title")) if named["module"] else {},
        of(lessons.values_list("slug", "title")) if named["lesson"] else {},
        of(quizzes.values_list("slug", "title")) if named["quiz"] else {},
        of(policies.values_list("policy__slug", "title")) if named["policy"] else {},
    )


def say(verb: str, said: Mapping | None, titles: Titles) -> str:
    """Return what the Entry says. ``said``: its Body, None if that was disposed of."""
    if said is None:
        return _("What this said was disposed of when its time was over.")
    try:
        return _SENTENCES[verb](said, titles)
    except (KeyError, TypeError, ValueError):  # a kind, or a shape, that these words do not know
        return verb


def _day(text: str | None) -> str:
    return date_format(date.fromisoformat(text[:10]), "DATE_FORMAT") if text else "–"


def _named(known: Mapping[str, str], slug: str) -> str:
    return known.get(slug, slug)


def _kind(said: Mapping) -> str:
    return str(Finding.Kind(said["kind"]).label) if said["kind"] in Finding.Kind.values else said["kind"]


def _submitted(said: Mapping, titles: Titles) -> str:
    facts = {"quiz": _named(titles.quizzes, said["quiz"]), "n": said["number"], "percent": said["percent"]}
    if said["passed"]:
        return _("Handed in the quiz “%(quiz)s”, try %(n)s: passed with %(percent)s%%.") % facts
    return _("Handed in the quiz “%(quiz)s”, try %(n)s: not passed, %(percent)s%%.") % facts


def _standing(said: Mapping, titles: Titles) -> str:
    after = said["after"]
    facts = {"training": TrainingState(after["training_state"]).label}
    facts |= {"archive": ArchiveState(after["archive_state"]).label}
    if after["may_message"]:
        return _("Standing: may message clients. Training %(training)s, archive %(archive)s.") % facts
    return _("Standing: may not message clients. Training %(training)s, archive %(archive)s.") % facts


def _certificate(said: Mapping, titles: Titles) -> str:
    return _("Certificate %(serial)s was issued.") % {"serial": said["serial"]}


def _reminded(said: Mapping) -> str:
    match said["channel"]:
        case "mail":
            return _("A reminder was sent by e-mail.")
        case "wecom":
            return _("A reminder was sent as a WeCom message.")
        case "robot":
            return _("A group robot in WeCom called for attention.")
    raise ValueError(said["channel"])


def _policy_signed(said: Mapping, titles: Titles) -> str:
    facts = {"policy": _named(titles.policies, said["policy"]), "n": said["version"], "period": said["period"]}
    if said["period"]:
        return _("Signed the statement “%(policy)s”, version %(n)s, for %(period)s.") % facts
    return _("Signed the policy “%(policy)s”, version %(n)s.") % facts


def _finding(sentence: Callable[[], str]) -> Callable[[Mapping, Titles], str]:
    return lambda said, titles: sentence() % {"kind": _kind(said)}


Sentence = Callable[[Mapping, Titles], str]

_SENTENCES: dict[str, Sentence] = {
    # training
    "training.assigned": lambda s, t: (
        _("“%(course)s” was assigned, due on %(day)s.")
        % {"course": _named(t.courses, s["course"]), "day": _day(s["due_on"])}
    ),
    "training.exempted": lambda s, t: (
        _("Exempt from “%(course)s” until %(day)s.")
        % {"course": _named(t.courses, s["course"]), "day": _day(s["ends_on"])}
    ),
    "training.exemption_asked": lambda s, t: (
        _("An exemption from “%(course)s” was asked for, from %(first)s to %(last)s.")
        % {"course": _named(t.courses, s["course"]), "first": _day(s["starts_on"]), "last": _day(s["ends_on"])}
    ),
    "training.exemption_refused": lambda s, t: (
        _("An exemption from “%(course)s” was refused: %(why)s")
        % {"course": _named(t.courses, s["course"]), "why": s["reason"]}
    ),
    "training.due_moved": lambda s, t: (
        _("“%(course)s” is due on %(day)s instead of %(before)s.")
        % {
            "course": _named(t.courses, s["course"]),
            "day": _day(s["due_on"]),
            "before": _day(s["due_on_before"]),
        }
    ),
    "training.cycle_ended": lambda s, t: (
        _("“%(course)s” is not owed any more: %(why)s.")
        % {"course": _named(t.courses, s["course"]), "why": Assignment.Why(s["why"]).label}
    ),
    "training.completion_imported": lambda s, t: (
        _("Had completed “%(course)s” on %(day)s, taken over from a file; good until %(until)s.")
        % {
            "course": _named(t.courses, s["course"]),
            "day": _day(s["completed_on"]),
            "until": _day(s["expires_on"]),
        }
    ),
    "training.test_out_begun": lambda s, t: (
        _("Tried the quiz of the module “%(module)s” without its lessons.") % {"module": _named(t.modules, s["module"])}
    ),
    # policies
    "training.policy_signed": _policy_signed,
    "training.edition_begun": lambda s, t: (
        _("Began “%(course)s”, edition %(n)s.") % {"course": _named(t.courses, s["course"]), "n": s["edition"]}
    ),
    "training.lesson_finished": lambda s, t: (
        _("Read the lesson “%(lesson)s” to its end.") % {"lesson": _named(t.lessons, s["lesson"])}
    ),
    "training.module_passed": lambda s, t: (
        _("Passed the module “%(module)s” with %(percent)s%%.")
        % {"module": _named(t.modules, s["module"]), "percent": s["percent"]}
    ),
    "training.completed": lambda s, t: (
        _("Completed “%(course)s”, edition %(n)s, with %(percent)s%%; good until %(day)s.")
        % {
            "course": _named(t.courses, s["course"]),
            "n": s["edition"],
            "percent": s["percent"],
            "day": _day(s["expires_on"]),
        }
    ),
    "training.fresh_answered": lambda s, t: (
        _("Answered a question of “%(module)s”, to keep it fresh.") % {"module": _named(t.modules, s["module"])}
    ),
    # quizzes
    "quizzes.attempt_started": lambda s, t: (
        _("Began the quiz “%(quiz)s”, try %(n)s.") % {"quiz": _named(t.quizzes, s["quiz"]), "n": s["number"]}
    ),
    "quizzes.attempt_submitted": _submitted,
    "quizzes.attempt_regraded": lambda s, t: (
        _("A recalled question: the result went from %(was)s%% to %(is)s%%.")
        % {"was": s["before"]["percent"], "is": s["after"]["percent"]}
    ),
    "quizzes.attempt_looked_at": lambda s, t: _("A reviewer looked at an attempt."),
    "quizzes.extra_time_granted": lambda s, t: _("More time in quizzes was granted."),
    "quizzes.extra_time_ended": lambda s, t: _("More time in quizzes was ended."),
    # certificates
    "training.certificate_issued": _certificate,
    "training.certificate_signed": lambda s, t: _("Certificate %(serial)s was signed.") % {"serial": s["serial"]},
    "training.certificate_confirmed": lambda s, t: _("Certificate %(serial)s was looked at again and stands.") % s,
    "training.certificate_fetched": lambda s, t: _("Certificate %(serial)s was fetched.") % {"serial": s["serial"]},
    "training.certificate_replaced": lambda s, t: _("Certificate %(serial)s was replaced by %(replaced_by)s.") % s,
    "training.certificate_revoked": lambda s, t: _("Certificate %(serial)s was revoked: %(reason)s") % s,
    # standing
    "standing.changed": _standing,
    "standing.reminded": lambda s, t: _("Was reminded of training that is due."),
    # reminders
    "reminders.sent": lambda s, t: _reminded(s),
    "reminders.sent_of_archive": lambda s, t: _reminded(s),
    "reminders.bounced": lambda s, t: _("A reminder by e-mail came back (%(status)s).") % {"status": s["status"]},
    "reminders.bounce_settled": lambda s, t: _("The address that mail had come back from was looked at."),
    "reminders.handled": lambda s, t: _("A manager looks after what is late."),
    # findings
    "archive.finding_opened": _finding(lambda: _("A finding was opened: %(kind)s.")),
    "archive.finding_grown": _finding(lambda: _("A finding grew: %(kind)s.")),
    "archive.finding_reopened": _finding(lambda: _("A finding was opened again: %(kind)s.")),
    "archive.finding_claimed": _finding(lambda: _("A reviewer took a finding on: %(kind)s.")),
    "archive.finding_taken_over": _finding(lambda: _("Another reviewer took a finding over: %(kind)s.")),
    "archive.finding_added": _finding(lambda: _("The person added to what they had told: %(kind)s.")),
    "archive.finding_released": _finding(lambda: _("A reviewer let a finding go: %(kind)s.")),
    "archive.finding_noted": _finding(lambda: _("A note was written beside a finding: %(kind)s.")),
    "archive.finding_asked": _finding(lambda: _("The person was asked about a finding: %(kind)s.")),
    "archive.finding_answered": _finding(lambda: _("The person answered about a finding: %(kind)s.")),
    "archive.finding_read": _finding(lambda: _("A reviewer read the words of a finding: %(kind)s.")),
    "archive.finding_confirmed": _finding(lambda: _("A finding was confirmed: %(kind)s.")),
    "archive.finding_seconded": _finding(lambda: _("A second reviewer confirmed a finding: %(kind)s.")),
    "archive.finding_returned": _finding(lambda: _("A confirmed finding was sent back to review: %(kind)s.")),
    "archive.finding_dismissed": _finding(lambda: _("A finding was dismissed as a false alarm: %(kind)s.")),
    "archive.finding_closed": _finding(lambda: _("A finding was closed: %(kind)s.")),
    "archive.slip_reported": lambda s, t: (
        _("Told of a slip of their own, of %(day)s.") % {"day": _day(s["happened_on"])}
    ),
    "standing.remedy_assigned": lambda s, t: (
        _("A finding calls for the lesson “%(lesson)s”.") % {"lesson": _named(t.lessons, s["lesson"])}
    ),
    "standing.remedy_done": lambda s, t: (
        _("Read the lesson “%(lesson)s” that a finding had called for.") % {"lesson": _named(t.lessons, s["lesson"])}
    ),
    "standing.remedy_withdrawn": lambda s, t: _("The lesson that a finding had called for is not needed any more."),
    # people
    "people.added": lambda s, t: _("Came onto HR’s list."),
    "people.changed": lambda s, t: _("HR’s list changed: %(what)s.") % {"what": ", ".join(sorted(s["after"]))},
    "people.manager_set": lambda s, t: _("Reports to another manager.") if s["after"] else _("Reports to nobody."),
    "people.roles_given": lambda s, t: _("Roles: %(roles)s.") % {"roles": ", ".join(s["after"]) or _("none")},
    "people.tags_set": lambda s, t: _("Tags: %(tags)s.") % {"tags": ", ".join(s["after"]) or _("none")},
    "scim.person_named": lambda s, t: _("The directory calls them %(name)s.") % {"name": s["after"]["user_name"]},
    "scim.person_removed": lambda s, t: _("Was removed from the directory."),
    "signon.linked": lambda s, t: (
        _("Signed in with %(way)s for the first time, and was linked with the account there.") % {"way": s["way"]}
    ),
    "signon.refused": lambda s, t: (
        _("Was not let in with %(way)s: %(why)s") % {"way": s["way"], "why": Refusal(s["reason"]).label}
    ),
    "signon.link_ended": lambda s, t: _("The link with an account of %(way)s was ended.") % {"way": s["way"]},
    "people.suspended": lambda s, t: _("Was suspended."),
    "people.readmitted": lambda s, t: _("Was let in again."),
    "people.leave_set": lambda s, t: (
        _("Away from %(first)s to %(last)s.") % {"first": _day(s["first_on"]), "last": _day(s["last_on"])}
    ),
}
