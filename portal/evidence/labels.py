"""What each kind of Entry is about, in words, for those that are about no person, and the names that stand for ids."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from portal.people.models import Employee

LABELS: dict[str, Promise] = {
    "archive.aside_read": lazy("A line that was set aside was read."),
    "archive.aside_repaired": lazy("A line that was set aside was mended."),
    "archive.batch_imported": lazy("A batch of messages was stored."),
    "archive.disposal_approved": lazy("A disposal was approved."),
    "archive.disposal_done": lazy("A disposal was done."),
    "archive.disposal_refused": lazy("A disposal was refused."),
    "archive.disposal_stopped": lazy("A disposal was stopped."),
    "archive.disposed": lazy("Messages were disposed of."),
    "archive.hold_lifted": lazy("A hold was lifted."),
    "archive.hold_made": lazy("A hold was made."),
    "archive.hole_settled": lazy("Missing numbers of a feed were settled."),
    "archive.identities_synced": lazy("Accounts were matched with people."),
    "archive.import_failed": lazy("An import failed."),
    "archive.imported": lazy("A feed was imported."),
    "archive.keys_rotated": lazy("The keys of kept words were changed."),
    "archive.lexicon_tried": lazy("A lexicon was tried on kept words."),
    "archive.lines_disposed": lazy("Lines that were set aside were disposed of."),
    "archive.policy_changed": lazy("The firm’s thresholds changed."),
    "archive.records_computed": lazy("Figures of a month were computed."),
    "archive.records_left": lazy("Figures of a month were left as they stood."),
    "archive.sample_drawn": lazy("A monthly sample was drawn."),
    "archive.sample_reviewed": lazy("A message of a sample was reviewed."),
    "archive.source_added": lazy("A feed was set up."),
    "archive.source_changed": lazy("The settings of a feed changed."),
    "archive.state_imported": lazy("Seats and consent were imported."),
    "archive.text_disposed": lazy("Kept words were disposed of."),
    "archive.verified": lazy("The archive was verified."),
    "evidence.entry_read": lazy("Somebody read what an entry says."),
    "evidence.pack_approved": lazy("An evidence pack was approved."),
    "evidence.pack_asked": lazy("An evidence pack was asked for."),
    "evidence.pack_downloaded": lazy("An evidence pack was fetched."),
    "evidence.pack_forgotten": lazy("The file of an evidence pack was deleted."),
    "evidence.pack_made": lazy("An evidence pack was made."),
    "evidence.pack_refused": lazy("An evidence pack was refused."),
    "ledger.disposed": lazy("What entries said was disposed of."),
    "ledger.key_begun": lazy("The log’s first key was begun."),
    "ledger.key_replaced": lazy("A lost key of the log was replaced."),
    "ledger.key_rotated": lazy("The log’s key was changed."),
    "quizzes.bank_exported": lazy("A question bank went out as a file."),
    "quizzes.bank_published": lazy("A question bank was published."),
    "quizzes.question_recalled": lazy("A question was recalled."),
    "quizzes.question_withdrawn": lazy("A question was withdrawn."),
    "quizzes.questions_imported": lazy("Questions were imported."),
    "quizzes.questions_tagged": lazy("Questions were tagged."),
    "quizzes.quiz_published": lazy("A quiz was published."),
    "quizzes.signal_judged": lazy("An integrity signal was judged."),
    "standing.exported": lazy("A table went out as a file."),
    "standing.feed_token_ended": lazy("A token of the permission feed was ended."),
    "standing.feed_token_made": lazy("A token of the permission feed was made."),
    "standing.remedy_chosen": lazy("The lesson that a kind of finding calls for was chosen."),
    "training.certificates_exported": lazy("Certificates went out as a file."),
    "training.edition_published": lazy("An edition of a course was published."),
    "training.recall_settled": lazy("A recalled question was settled."),
    "training.rule_set": lazy("A rule on who owes a course was set."),
}


def names(uids: Iterable[str], viewer: Employee) -> dict[str, str]:
    """Return what ids of actors and subjects stand for, as far as the viewer may see the people. One query."""
    wanted = set(uids)
    people = Employee.objects.visible_to(viewer).filter(uid__in=[uid for uid in wanted if not is_system(uid)])
    found = {one.uid: one.name for one in people}
    return found | {uid: _("the portal (%(part)s)") % {"part": uid[7:]} for uid in wanted if is_system(uid)}


def is_system(uid: str) -> bool:
    return uid.startswith("system:")
