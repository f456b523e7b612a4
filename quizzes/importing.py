"""Question files into a bank and out of it. What comes in is proposed: a second person reads it before it is asked."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from portal.ledger import rules as canon
from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes.formats import FORMATS
from quizzes.formats.base import SLUG_MOST, Item, NotThisFormat, slug_of
from quizzes.formats.plain import FILE_MOST
from quizzes.models import Bank, Question
from quizzes.publishing import LATER_FIELDS, QUESTION_FIELDS, version_of

MOST_QUESTIONS = 20_000


@dataclass
class Outcome:
    """What became of a file: found = imported + already_there + refused. Each of ``refused`` says where and why."""

    found: int = 0
    imported: list[str] = field(default_factory=list)  # "slug v2"
    already_there: int = 0
    refused: list[Item] = field(default_factory=list)
    noted: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # on the file as a whole
    print: str = ""  # of all that would be written: whoever has seen this one can say yes to it


class ChangedMeanwhile(ValueError):
    """The bank is another one than when the dry run was shown."""


@transaction.atomic
def import_questions(
    *,
    data: bytes,
    file_format: str,
    bank: str,
    language: str,
    by: str,
    author: Employee | None = None,
    dry_run: bool = False,
    seen: str | None = None,
    most: int = MOST_QUESTIONS,
) -> Outcome:
    """Read a question file into the bank of this name, made if it is not there; dry run: only say what would become.

    A question of the same name in the bank becomes its next version; one that is there word for word stays. What
    cannot be asked or graded is refused by itself. ``seen``: the print of the dry run that somebody said yes to.
    Raises NotThisFormat where the file as a whole cannot be read; ChangedMeanwhile where ``seen`` is not what would be.
    """
    if len(data) > FILE_MOST:
        raise NotThisFormat(_("it is larger than %(most)s MiB") % {"most": FILE_MOST // 2**20})
    outcome = Outcome()
    items = list(FORMATS[file_format].read(data, language, outcome.notes))
    outcome.notes = list(dict.fromkeys(outcome.notes))
    if len(items) > most:
        raise NotThisFormat(_("it holds %(n)s questions; %(most)s are the most") % {"n": len(items), "most": most})
    slug = bank_slug(bank)
    row = Bank.objects.filter(slug=slug).first() or Bank(slug=slug, title={language: bank.strip()})
    if not dry_run:
        if row.pk is None:
            row.save()
        row = Bank.objects.select_for_update().get(pk=row.pk)
    fresh = _sorted_out(items, row, outcome, author)
    outcome.print = _print_of(slug, fresh, outcome)
    if seen is not None and outcome.print != seen:
        raise ChangedMeanwhile(slug)
    if not dry_run and fresh:
        Question.objects.bulk_create(fresh, batch_size=500)
        body = {"bank": slug, "format": file_format, "file_sha256": hashlib.sha256(data).hexdigest()}
        body |= {"new": outcome.imported, "refused": len(outcome.refused), "already_there": outcome.already_there}
        ledger.append(verb="quizzes.questions_imported", actor=by, subject="system:quizzes", body=body)
    return outcome


def _print_of(bank: str, fresh: Iterable[Question], outcome: Outcome) -> str:
    """Return the SHA-256 of what would be written; not of reasons, which are told in the reader's language."""
    told = {
        "bank": bank,
        "new": [f"{question} {question.fingerprint}" for question in fresh],
        "counts": [outcome.found, outcome.already_there, len(outcome.refused)],
    }
    return hashlib.sha256(canon.canonical(told)).hexdigest()


def bank_slug(name: str) -> str:
    """Return the slug of a bank that somebody named; one that is a slug already stays. Raises NotThisFormat."""
    found = slugify(name.strip(), allow_unicode=False)[:160]
    return found or f"bank-{hashlib.sha256(name.strip().encode()).hexdigest()[:12]}"


def _sorted_out(items: Iterable[Item], bank: Bank, outcome: Outcome, author: Employee | None) -> list[Question]:
    """Return the questions that are new to the bank, and count the others."""
    known: dict[str, dict[str, int]] = {}
    if bank.pk:
        for slug, fingerprint, version in bank.questions.values_list("slug", "fingerprint", "version"):
            known.setdefault(slug, {})[fingerprint] = version
    fresh: list[Question] = []
    seen: Counter[str] = Counter()
    for item in items:
        outcome.found += 1
        if item.question is None:
            outcome.refused.append(item)
            continue
        slug = _free(slug_of(item.name, item.question), seen)
        versions = known.setdefault(slug, {})
        question = version_of(bank, item.question | {"slug": slug}, max(versions.values(), default=0) + 1)
        if question.fingerprint in versions:
            outcome.already_there += 1
            continue
        question.state, question.written_by = Question.State.PROPOSED, author
        versions[question.fingerprint] = question.version
        fresh.append(question)
        outcome.imported.append(str(question))
        if question.version > 1:
            item.notes.append(
                _("it is version %(version)s of '%(slug)s'") % {"version": question.version, "slug": slug}
            )
        if item.notes:
            outcome.noted.append(item)
    return fresh


def _free(slug: str, seen: Counter) -> str:
    """Return the slug, with a number where the file had it before: two questions of one name are two questions."""
    seen[slug] += 1
    while seen[slug] > 1:
        other = f"{slug[: SLUG_MOST - 6]}-{seen[slug]}"
        if not seen[other]:
            seen[other] += 1
            return other
        seen[slug] += 1
    return slug


def export_questions(*, bank: Bank, file_format: str, language: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the newest version of every question as a file, and what it cannot carry: [(slug, what)].

    Withdrawn questions stay at home.
    """
    rows = bank.questions.newest().filter(withdrawn_at=None).order_by("slug")
    questions = [
        {"slug": row.slug} | {name: getattr(row, name) for name in (*QUESTION_FIELDS, *LATER_FIELDS)} for row in rows
    ]
    title = bank.title.get(language) or next(iter(bank.title.values()), bank.slug)
    return FORMATS[file_format].write(questions, language, title)


@transaction.atomic
def hand_out(*, bank: Bank, file_format: str, language: str, by: Employee) -> bytes:
    """Return the bank as a file for somebody, and note that they have it: right answers stand in it."""
    data, lost = export_questions(bank=bank, file_format=file_format, language=language)
    body = {"bank": bank.slug, "format": file_format, "sha256": hashlib.sha256(data).hexdigest(), "lost": len(lost)}
    ledger.append(verb="quizzes.bank_exported", actor=by.uid, subject="system:quizzes", body=body)
    return data
