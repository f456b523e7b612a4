"""What a batch says about other messages and people: recalls, answers about consent, earlier deliveries."""

from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone

from archive import calendars, rules
from archive.models import ConsentWord, Message, Participant, Recall, Record, Signal, Source
from archive.models.messages import PartyKind
from archive.services import bulk
from archive.services.due import Why, mark_due, mark_months_due
from archive.services.identities import known, ways_of
from archive.sources.base import CONSENT, RECALL, Captured


def join(source: Source, rows: list[Message], lines: Mapping[int, Captured]) -> None:
    """Join what has just been stored with what was there. ``lines`` are the lines of the rows by primary key."""
    _recalls(source, rows, lines)
    _consent(source, [(row, lines[row.pk]) for row in rows if row.category == CONSENT])


def _recalls(source: Source, rows: list[Message], lines: Mapping[int, Captured]) -> None:
    """Join recalls with their originals, whichever came first. An original that never comes leaves an orphan."""
    recalls = {row.pk: row for row in rows if row.category == RECALL}
    wanted = {(row.channel, lines[pk].recalls) for pk, row in recalls.items() if lines[pk].recalls}
    originals = _messages_of(wanted)
    Recall.objects.bulk_create(
        [
            Recall(
                message_id=pk,
                source=source,
                recalls_msgid=lines[pk].recalls,
                original=originals.get((row.channel, lines[pk].recalls)),
            )
            for pk, row in recalls.items()
        ],
        batch_size=400,
    )
    keys = {pk: (row.channel, lines[pk].recalls) for pk, row in recalls.items()}
    taken_back = [(originals[keys[pk]], row) for pk, row in recalls.items() if keys[pk] in originals]
    by_id = {(row.channel, row.msgid): row.pk for row in rows}
    # A recall may have come by another source than its original: all of them, by number, so that the index serves.
    orphans = Recall.objects.filter(
        source__in=list(Source.objects.values_list("pk", flat=True)),
        original=None,
        recalls_msgid__among={row.msgid for row in rows},
    ).select_related("message")
    found = [(orphan, by_id.get((orphan.message.channel, orphan.recalls_msgid))) for orphan in orphans]
    here = Message.objects.in_bulk([pk for _orphan, pk in found if pk])
    for orphan, pk in found:
        if pk is None:
            continue
        orphan.original = here[pk]
        orphan.save(update_fields=["original"])
        taken_back.append((orphan.original, orphan.message))
    _mark_recalled(taken_back)


def _messages_of(ids: set[tuple[str, str]]) -> dict[tuple[str, str], Message]:
    """Return the messages with these ids of their channels, as far as they are here."""
    if not ids:
        return {}
    rows = Message.objects.filter(
        channel__in={channel for channel, _msgid in ids}, msgid__among={msgid for _channel, msgid in ids}
    )
    return {(one.channel, one.msgid): one for one in rows}


def told_recalled(moments: Mapping[int, datetime]) -> None:
    """Mark messages as taken back of which a copy says so; of several moments the first counts, whoever told it."""
    if not moments:
        return
    changed = []
    for one in Message.objects.filter(pk__in=moments):
        if one.recalled_at is None or moments[one.pk] < one.recalled_at:
            one.recalled_at = moments[one.pk]
            changed.append(one)
    Message.objects.bulk_update(changed, ["recalled_at"], batch_size=200)


def _mark_recalled(pairs: list[tuple[Message, Message]]) -> None:
    """The original stays and is marked. Both people's months change: the delay is known now."""
    for original, recall in pairs:
        if recall.sent_at and (original.recalled_at is None or recall.sent_at < original.recalled_at):
            original.recalled_at = recall.sent_at
    Message.objects.bulk_update({one for one, _recall in pairs}, ["recalled_at"], batch_size=200)
    senders = Participant.objects.filter(
        message__in=[recall.pk for _one, recall in pairs], employee__isnull=False, sent_at__isnull=False
    )
    mark_due(set(senders.values_list("employee_id", "sent_at")), Why.RECALL)


_RECORD = ConsentWord.Origin.RECORD.value


def _consent(source: Source, answers: list[tuple[Message, Captured]]) -> None:
    """Keep each answer for everybody it was said to; in a room it also counts for those who come later."""
    if not answers:
        return
    people = known(
        (rules.fold(handle) for _row, line in answers for handle in line.recipients),
        channels={row.channel for row, _line in answers},
    )
    ways = ways_of(source)
    words, concerned = [], {}
    for row, line in answers:
        said_at = (line.word.said_at if line.word else None) or row.sent_at
        if line.word is None or not line.word.contact or said_at is None:
            continue
        inside = [(handle, people.who(handle, said_at, row.channel, ways)) for handle in line.recipients]
        hearers = [
            rules.fold(handle) for handle, (kind, _who) in inside if kind in (PartyKind.EMPLOYEE, PartyKind.UNKNOWN)
        ]
        for hearer in [*hearers, ""] if line.room else hearers:
            words.append((source.pk, hearer, line.word.contact, line.room, line.word.word, said_at, _RECORD))
        for who in (who for _handle, (_kind, who) in inside if who):
            concerned[who] = min(concerned.get(who, said_at), said_at)
    columns = ("source", "employee_folded", "contact", "room", "word", "said_at", "origin")
    bulk.insert(ConsentWord, columns, words, skip_known=True)
    mark_due(concerned.items(), Why.CONSENT)
    mark_from({who: timezone.localdate(said_at) for who, said_at in concerned.items()})


def unsay(answer: Message) -> None:
    """Drop what a copy's answer about consent said: the better copy says it itself, perhaps to the millisecond."""
    ConsentWord.objects.filter(
        source=answer.source_id,
        contact=answer.sender,
        room=answer.room,
        said_at=answer.sent_at,
        origin=ConsentWord.Origin.RECORD,
    ).delete()


def mark_from(since: Mapping[int, date]) -> None:
    """Mark every record that each employee has from the month of the day on: a word counts from when it was said."""
    if not since:
        return
    rows = Record.objects.filter(
        employee__pk__among=since, month__gte=calendars.month_of(min(since.values()))
    ).values_list("employee_id", "month")
    mark_months_due(((who, month) for who, month in rows if month >= calendars.month_of(since[who])), Why.CONSENT)


def pulled_earlier(moments: Mapping[int, datetime]) -> None:
    """A message counts as captured when it was first pulled, in whatever order its deliveries were read."""
    changed = []
    for one in Message.objects.filter(pk__in=moments):
        one.captured_at = moments[one.pk]
        if not one.sent_at_is_known:
            one.sent_at = one.captured_at
        told = one.sent_at if one.sent_at_is_known else None
        one.latency_seconds = rules.latency_seconds(told, one.captured_at)
        changed.append(one)
    Message.objects.bulk_update(changed, ["captured_at", "sent_at", "latency_seconds"], batch_size=200)
    for one in changed:
        if not one.sent_at_is_known:
            for model in (Participant, Signal):
                model.objects.filter(message=one).update(sent_at=one.sent_at)
    people = Participant.objects.filter(message__in=moments, employee__isnull=False, sent_at__isnull=False)
    mark_due(set(people.values_list("employee_id", "sent_at")), Why.EARLIER)
