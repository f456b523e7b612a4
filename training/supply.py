"""What a module's quiz may ask: what the course's files say, what was accepted in the browser since, and the banks that
are connected. One rule, whether an edition comes from files or from the banks."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portal.ledger import rules as canon
from quizzes import drawing
from quizzes.models import Bank, Question
from quizzes.publishing import card_of
from training.models import Connection, Course, Module

Given = Mapping[str, Sequence]  # {slug: [fingerprint, the version of the bank that was the newest then]}


@dataclass
class Supply:
    """What a module's quiz asks from the next edition on. ``left_out``: accepted, and yet not asked: [(slug, why)]."""

    questions: list[Question] = field(default_factory=list)
    blueprint: list[dict] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def flaws(self, draw: int) -> list[str]:
        """Return what makes such a quiz impossible."""
        if draw > len(self.questions):
            return [f"the quiz draws {draw} questions and has {len(self.questions)}"]
        cards = {question.slug: card_of(question) for question in self.questions}
        found = drawing.flaws_in_blueprint(cards, drawing.cells_of(self.blueprint), draw)
        return [f"{flaw.what}. {flaw.remedy}" for flaw in found]


WITHDRAWN, UNTOLD, SAME_NAME = "withdrawn", "untold", "same-name"


def own_bank(course: str, module: str) -> str:
    """Return the slug of a module's own bank. An underscore parts the names: it is in no slug, so no two share one."""
    return f"{course}_{module}"


def supplies(
    course: Course, given: Mapping[str, Given], blueprints: Mapping[str, Sequence[Mapping]], languages
) -> dict:
    """Return {module: Supply} of a course: ``given`` and ``blueprints`` are what the files say. Four queries."""
    connections: dict[str, list[Connection]] = {}
    for one in course.connections.select_related("bank"):
        connections.setdefault(one.module, []).append(one)
    banks = {own_bank(course.slug, module) for module in given}
    rows = _accepted(banks, {one.bank_id for some in connections.values() for one in some})
    ever = _ever_given(course)
    found = {}
    for module, slugs in given.items():
        supply = Supply(blueprint=[cell for cell in blueprints[module] if "bank" not in cell])
        _take_own(supply, rows.get(own_bank(course.slug, module), {}), slugs, ever.get(module, set()), languages)
        for connection in connections.get(module, ()):
            _take_connected(supply, connection, rows.get(connection.bank.slug, {}), languages)
        found[module] = supply
    return found


Versions = Mapping[str, list[Question]]  # of a bank: {slug: accepted versions, the newest first}


def _accepted(slugs: Collection[str], banks: Collection[int]) -> dict[str, dict[str, list[Question]]]:
    ids = {*Bank.objects.filter(slug__in=slugs).values_list("pk", flat=True), *banks}
    rows = Question.objects.filter(bank__in=ids, state=Question.State.ACCEPTED).select_related("bank")
    found: dict[str, dict[str, list[Question]]] = {}
    for row in rows.order_by("bank", "slug", "-version"):
        found.setdefault(row.bank.slug, {}).setdefault(row.slug, []).append(row)
    return found


def _ever_given(course: Course) -> dict[str, set[str]]:
    """Return the questions that the files of any edition held, by module: what left the files does not come back."""
    found: dict[str, set[str]] = {}
    for module, given in Module.objects.filter(edition__course=course).values_list("slug", "given"):
        found.setdefault(module, set()).update(given)
    return found


def _take_own(supply: Supply, rows: Versions, given: Given, ever: Collection[str], languages: Collection[str]) -> None:
    """Take each question of the files, or what was accepted in its place since; then those written in the browser."""
    for slug, (fingerprint, above) in given.items():
        later = [row for row in rows.get(slug, ()) if row.version > above]
        theirs = [row for row in rows.get(slug, ()) if row.fingerprint == fingerprint]
        _take_first(supply, slug, [*later, *theirs], languages)
    for slug, versions in rows.items():
        if slug not in given and slug not in ever:
            _take_first(supply, slug, versions, languages)


def _take_connected(supply: Supply, connection: Connection, rows: Versions, languages: Collection[str]) -> None:
    there = {question.slug: question for question in supply.questions}
    for slug, versions in rows.items():
        if connection.tag and connection.tag not in versions[0].tags:
            continue
        if slug not in there:
            _take_first(supply, slug, versions[:1], languages)
        elif there[slug].bank_id != connection.bank_id:
            supply.left_out.append((slug, SAME_NAME))
    if connection.questions:
        cell = {"questions": connection.questions, "bank": connection.bank.slug}
        supply.blueprint.append(cell | ({"tag": connection.tag} if connection.tag else {}))


def _take_first(supply: Supply, slug: str, versions: Iterable[Question], languages: Collection[str]) -> None:
    """Take the newest version that can be asked. One that was withdrawn has no older one in its place."""
    for row in versions:
        if row.withdrawn_at:
            supply.left_out.append((slug, WITHDRAWN))
            return
        if set(languages) <= set(row.stem):
            supply.questions.append(row)
            return
        supply.left_out.append((slug, UNTOLD))


def given_by_files(rows: Sequence[Question], before: Given, newest: Mapping[str, int]) -> dict[str, list]:
    """Return what the files say now. What they said before already is as old as it was: later versions stand."""
    return {
        row.slug: list(before[row.slug])
        if row.slug in before and before[row.slug][0] == row.fingerprint
        else [row.fingerprint, newest[row.slug]]
        for row in rows
    }


def print_of(supplies: Mapping[str, Supply]) -> str:
    """Return the SHA-256 of all that the quizzes of an edition may ask, and how it is drawn."""
    told = {
        module: {
            "questions": sorted(f"{q.bank.slug}/{q.slug} {q.version} {q.fingerprint}" for q in supply.questions),
            "blueprint": supply.blueprint,
        }
        for module, supply in supplies.items()
    }
    return hashlib.sha256(canon.canonical(told)).hexdigest()
