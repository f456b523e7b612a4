"""One person's rows of every table, and the Entries that stand behind them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import translation

from portal.evidence import captured, entries, papers
from portal.evidence.check_pack import PUBLISHED, rows_of, safe
from portal.evidence.entries import Written
from portal.evidence.scope import Person
from portal.evidence.sections import CAPTURED, PEOPLE, VERBS, Section
from portal.ledger import rules
from portal.ledger.models import Entry
from quizzes.models import Attempt
from training.models import Progress

PERSON_COLUMNS = (
    "person", "employee_no", "name_en", "name_zh", "department", "office", "manager", "on_staff", "training", "archive",
    "may_message", *(section.name for section in PEOPLE), CAPTURED.name,
)  # fmt: skip


@dataclass
class Part:
    """What some people add to a pack: rows by table, lines of the files beside them, and what is shared by all."""

    rows: dict[str, list[list[str]]] = field(default_factory=dict)
    entries: list[bytes] = field(default_factory=list)
    papers: list[bytes] = field(default_factory=list)
    questions: set[int] = field(default_factory=set)
    records: set[int] = field(default_factory=set)
    stood: Counter = field(default_factory=Counter)

    def add(self, section: Section, rows: Sequence[list[str]]) -> None:
        self.rows.setdefault(section.file, []).extend(rows)


NOBODY = Person("", 0, "", "", "", None)  # of rows that are about no person


def editions(upto: int) -> dict[int, Written]:
    """Return {number: Entry} of all editions that were published until the Entry."""
    rows = Entry.objects.filter(verb=PUBLISHED, seq__lte=upto).order_by("seq")
    return {one.seq: one for one in entries.read(rows)}


def editions_said(published: Mapping[int, Written]) -> dict[tuple, dict]:
    return {(said["course"], said["edition"]): said for one in published.values() if (said := one.said)}


def part_of(people: Sequence[Person], upto: int, as_at: datetime, said: Mapping, places: Mapping) -> Part:
    """Return what these people add. ``said``: as editions_said() gives it. A constant number of queries."""
    part = Part()
    by_uid = entries.about([one.uid for one in people], VERBS, upto)
    wanted = {w.said["attempt"] for written in by_uid.values() for w in written if _is_attempt(w)}
    attempts = papers.attempts_of(by_uid, wanted)
    months = captured.months_of({one.pk: one.uid for one in people}, upto)
    told = captured.read({seq for found in months.values() for _month, seq in found})
    read = _read_without_entry(people, as_at)
    for person in people:
        written, counts = by_uid[person.uid], Counter()
        part.entries += [one.line() for one in written]
        for section in PEOPLE:
            made = list(_rows(section, person, written, said, attempts))
            if section.name == "read":
                made += _loose(section, person, read.get(person.pk, []), written)
            part.add(section, made)
            counts[section.name] = len(made)
        for _month, seq in months.get(person.uid, []):
            part.add(CAPTURED, section_rows(CAPTURED, person, told[seq], said))
            part.records.add(seq)
            counts[CAPTURED.name] += 1
        part.rows.setdefault("people.csv", []).append(_person(person, counts, places))
        _count(part.stood, person)
        _add_papers(part, written, attempts)
    return part


def _is_attempt(written: Written) -> bool:
    return written.verb == "quizzes.attempt_submitted" and written.content is not None


def _rows(
    section: Section, person: Person, written: Sequence[Written], said: Mapping, attempts: Mapping[str, Attempt]
) -> Iterator[list[str]]:
    for one in written:
        if one.verb in section.verbs:
            rows = section_rows(section, person, one, said)
            yield from _with_words(section, rows, attempts) if section.name == "answers" else rows


def section_rows(section: Section, person: Person, written: Written, said: Mapping) -> list[list[str]]:
    """Return the rows of an Entry in a table. One whose Body was disposed of has a row with its number alone."""
    own = {"employee_no": person.employee_no, "name": person.name}
    names = [name for name, _source in section.columns]
    if written.content is None:
        plain = {**own, "entry": str(written.seq), "at": written.entry["at"], "person": person.uid}
        return [[safe(plain.get(name, "")) for name in names]]
    rows = rows_of(section.as_json(), written.entry, written.said, {person.uid}, said)
    return [
        [safe(own.get(name, "")) if cell is None else cell for name, cell in zip(names, row, strict=True)]
        for row in rows
    ]


def _with_words(section: Section, rows: list[list[str]], attempts: Mapping[str, Attempt]) -> Iterator[list[str]]:
    """Fill in what was asked and answered in words, as far as the attempt is here."""
    at = {name: place for place, (name, _source) in enumerate(section.columns)}
    words: dict[str, dict] = {}
    for row in rows:
        uid = row[at["attempt"]]
        if uid in attempts:
            if uid not in words:
                with translation.override(attempts[uid].language):
                    words[uid] = papers.words_of(attempts[uid])
            asked, answered = words[uid].get(int(row[at["position"]]), ("", ""))
            row[at["asked"]], row[at["answered"]] = safe(asked), safe(answered)
        yield row


def _read_without_entry(people: Sequence[Person], as_at: datetime) -> dict[int, list[Progress]]:
    """Return {person: lessons finished by then}: lessons were not always written into the log."""
    rows = Progress.objects.filter(assignment__employee__in=[one.pk for one in people], finished_at__lte=as_at)
    rows = rows.select_related("assignment__course", "assignment__edition", "lesson__module").only(
        "opened_at",
        "finished_at",
        "assignment__employee",
        "assignment__cycle",
        "assignment__course__slug",
        "assignment__edition__number",
        "assignment__edition__fingerprint",
        "lesson__slug",
        "lesson__module__slug",
    )
    found: dict[int, list[Progress]] = {}
    for one in rows.order_by("finished_at", "pk"):
        found.setdefault(one.assignment.employee_id, []).append(one)
    return found


def _loose(section: Section, person: Person, read: Sequence[Progress], written: Sequence[Written]) -> list[list[str]]:
    """Return rows of the lessons that no Entry speaks of."""
    told = {
        (body["course"], body["cycle"], body["module"], body["lesson"])
        for one in written
        if one.verb in section.verbs and (body := one.said)
    }
    found = []
    for one in read:
        course, cycle, module = one.assignment.course.slug, one.assignment.cycle, one.lesson.module.slug
        if (course, cycle, module, one.lesson.slug) in told:
            continue
        plain = {"person": person.uid, "employee_no": person.employee_no, "name": person.name, "course": course}
        plain |= {"cycle": str(cycle), "edition": str(one.assignment.edition.number), "module": module}
        plain |= {"lesson": one.lesson.slug, "fingerprint": one.assignment.edition.fingerprint}
        plain |= {"opened_at": rules.timestamp(one.opened_at), "finished_at": rules.timestamp(one.finished_at)}
        found.append([safe(plain.get(name, "")) for name, _source in section.columns])
    return found


def _person(person: Person, counts: Counter, places: Mapping) -> list[str]:
    stood = person.standing
    cells = [person.uid, person.employee_no, person.name_en, person.name_zh]
    if stood is None:
        cells += [""] * 7
    else:
        cells += [
            places["department"].get(stood.department_id, ""),
            places["office"].get(stood.office_id, ""),
            stood.manager.uid if stood.manager else "",
            "yes" if stood.is_on_staff else "no",
            stood.training_state,
            stood.archive_state,
            "yes" if stood.may_message else "no",
        ]
    return [safe(cell) for cell in cells] + [str(counts[name]) for name in PERSON_COLUMNS[11:]]


def _count(stood: Counter, person: Person) -> None:
    if person.standing is None:
        stood["none"] += 1
        return
    stood[f"training:{person.standing.training_state}"] += 1
    stood[f"archive:{person.standing.archive_state}"] += 1
    stood["may" if person.standing.may_message else "may_not"] += 1


def _add_papers(part: Part, written: Sequence[Written], attempts: Mapping[str, Attempt]) -> None:
    """Add the papers that the log speaks of; who began before that was kept has none."""
    for one in written:
        attempt = attempts.get(one.said["attempt"]) if _is_attempt(one) else None
        if attempt is not None and attempt.paper_sha256:
            part.papers.append(rules.canonical(papers.paper(attempt)) + b"\n")
            part.questions |= {response.question_id for response in papers.responses_of(attempt)}
