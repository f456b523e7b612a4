"""The archive's figures of a person's months as they stood at an Entry, each with the Entry that told them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time

from django.utils import timezone

from archive.models import Record, RecordVersion
from portal.evidence import entries
from portal.evidence.entries import Written
from portal.ledger import services as ledger
from portal.ledger.models import Entry

VERB = "archive.records_computed"


def months_of(people: Mapping[int, str], upto: int) -> dict[str, list[tuple[date, int]]]:
    """Return {uid: [(month, number of the Entry that told its figures last)]}, months in order.

    ``people``: {id: uid}.
    """
    found: dict[str, list[tuple[date, int]]] = defaultdict(list)
    missing: dict[date, set[int]] = defaultdict(set)
    for record in Record.objects.filter(employee__in=people).order_by("employee", "month"):
        if record.entry_seq <= upto:
            found[people[record.employee_id]].append((record.month, record.entry_seq))
        else:
            missing[record.month].add(record.employee_id)
    for month, lacking in missing.items():
        for pk, seq in _before(month, lacking, people, upto).items():
            found[people[pk]].append((month, seq))
    return {uid: sorted(months) for uid, months in found.items()}


def _before(month: date, lacking: set[int], people: Mapping[int, str], upto: int) -> dict[int, int]:
    """Return the last Entry until ``upto`` that told these people's month, for those who had one.

    What a final record said is kept beside it; one that was provisional then is looked for in the Entries since the
    month began: there are few.
    """
    seqs = RecordVersion.objects.filter(record__employee__in=lacking, record__month=month, entry_seq__lte=upto)
    told = dict(seqs.order_by("entry_seq").values_list("record__employee", "entry_seq"))
    begins = timezone.make_aware(datetime.combine(month, time.min), timezone.get_default_timezone())
    wanted = {people[pk]: pk for pk in lacking}
    rows = Entry.objects.filter(verb=VERB, seq__gt=ledger.seq_at(begins), seq__lte=upto).order_by("seq")
    for one in entries.read(rows):
        if one.content is None or month.isoformat().encode() not in one.content[:40]:
            continue
        for item in one.said["records"]:
            if item["employee"] in wanted:
                told[wanted[item["employee"]]] = one.seq
    return told


def read(seqs: Iterable[int]) -> dict[int, Written]:
    """Return the Entries of these numbers."""
    return {one.seq: one for one in entries.read(Entry.objects.filter(seq__in=sorted(seqs)).order_by("seq"))}
