"""What each kind of Entry is about, in words, for those that are about no person, and the names that stand for ids."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee

LABELS: dict[str, Promise] = {
    "archive.aside_read": _("A line that was set aside was read."),
    "archive.aside_repaired": _("A line that was set aside was mended."),
    "archive.aside_settled": _("Somebody said what a line that was set aside is."),
    "archive.batch_imported": _("A batch of messages was stored."),
    "archive.disposal_approved": _("A disposal was approved."),
    "archive.disposal_asked": _("A disposal was asked for."),
    "archive.disposal_counted": _("What a disposal would remove was counted."),
    "archive.disposal_done": _("A disposal was done."),
    "archive.disposal_refused": _("A disposal was refused."),
    "archive.disposal_stopped": _("A disposal was stopped."),
    "archive.disposal_withdrawn": _("A disposal was withdrawn."),
    "archive.disposed": _("Messages were disposed of."),
    "archive.handle_declared": _("An account was declared to be a robot’s, or nobody’s."),
    "archive.handle_matched": _("An unknown account was matched with a person."),
    "archive.handle_undone": _("The match of an account was undone."),
    "archive.hold_lifted": _("A hold was lifted."),
    "archive.hold_made": _("A hold was made."),
    "archive.hole_settled": _("Missing numbers of a feed were settled."),
    "archive.identities_synced": _("Accounts were matched with people."),
    "archive.import_failed": _("An import failed."),
    "archive.imported": _("A feed was imported."),
    "archive.keys_rotated": _("The keys of kept words were changed."),
    "archive.lexicon_draft_begun": _("A draft of the lexicon was begun."),
    "archive.lexicon_draft_changed": _("A draft of the lexicon was changed."),
    "archive.lexicon_draft_thrown_away": _("A draft of the lexicon was thrown away."),
    "archive.lexicon_switched_back": _("A lexicon that counted before was switched on again."),
    "archive.lexicon_switched_on": _("A new version of the lexicon was switched on."),
    "archive.lexicon_tried": _("A lexicon was tried on kept words."),
    "archive.lines_disposed": _("Lines that were set aside were disposed of."),
    "archive.numbering_answered": _("Somebody said whether numbers are a feed’s own."),
    "archive.policy_changed": _("The firm’s thresholds changed."),
    "archive.records_computed": _("Figures of a month were computed."),
    "archive.records_left": _("Figures of a month were left as they stood."),
    "archive.retention_changed": _("The retention schedules changed."),
    "archive.sample_drawn": _("A monthly sample was drawn."),
    "archive.sample_reviewed": _("A message of a sample was reviewed."),
    "archive.source_added": _("A feed was set up."),
    "archive.source_changed": _("The settings of a feed changed."),
    "archive.state_imported": _("Seats and consent were imported."),
    "archive.text_disposed": _("Kept words were disposed of."),
    "archive.token_ended": _("A token for pushing messages was ended."),
    "archive.token_made": _("A token for pushing messages was made."),
    "archive.verified": _("The archive was verified."),
    "demo.begun": _("The demo firm was begun."),
    "demo.finished": _("The demo firm was finished."),
    "evidence.entry_read": _("Somebody read what an entry says."),
    "evidence.pack_approved": _("An evidence pack was approved."),
    "evidence.pack_asked": _("An evidence pack was asked for."),
    "evidence.pack_downloaded": _("An evidence pack was fetched."),
    "evidence.pack_forgotten": _("The file of an evidence pack was deleted."),
    "evidence.pack_made": _("An evidence pack was made."),
    "evidence.pack_refused": _("An evidence pack was refused."),
    "hr.file_applied": _("A list of HR’s was applied."),
    "hr.file_given": _("HR gave a list."),
    "hr.file_put_away": _("A list of HR’s was put away."),
    "ledger.disposed": _("What entries said was disposed of."),
    "ledger.key_begun": _("The log’s first key was begun."),
    "ledger.key_replaced": _("A lost key of the log was replaced."),
    "ledger.key_rotated": _("The log’s key was changed."),
    "ledger.measured": _("The speed of the log was measured."),
    "operations.backed_up": _("A backup was made."),
    "operations.restored": _("The site was restored from a backup."),
    "people.tag_made": _("A tag was made or named anew."),
    "quizzes.bank_exported": _("A question bank went out as a file."),
    "quizzes.bank_published": _("A question bank was published."),
    "quizzes.question_recalled": _("A question was recalled."),
    "quizzes.question_withdrawn": _("A question was withdrawn."),
    "quizzes.questions_imported": _("Questions were imported."),
    "quizzes.questions_tagged": _("Questions were tagged."),
    "quizzes.quiz_published": _("A quiz was published."),
    "quizzes.recall_asked_again": _("A recall that was sent back was asked for again."),
    "quizzes.signal_judged": _("An integrity signal was judged."),
    "reminders.terms_set": _("When reminders go out was set."),
    "scim.group_ended": _("A group of the directory was removed."),
    "scim.token_ended": _("A token of the directory was ended."),
    "scim.token_made": _("A token of the directory was made."),
    "signon.proof_refused": _("What somebody showed to sign in proved nothing."),
    "signon.stranger_refused": _("Somebody who is not on HR’s list was not let in."),
    "standing.exported": _("A table went out as a file."),
    "standing.feed_token_ended": _("A token of the permission feed was ended."),
    "standing.feed_token_made": _("A token of the permission feed was made."),
    "standing.remedy_chosen": _("The lesson that a kind of finding calls for was chosen."),
    "training.bank_connected": _("A question bank was connected with a course."),
    "training.bank_disconnected": _("A question bank was disconnected from a course."),
    "training.certificates_exported": _("Certificates went out as a file."),
    "training.completions_imported": _("Past completions were taken over from a file."),
    "training.course_uploaded": _("A course was sent as a ZIP."),
    "training.edition_published": _("An edition of a course was published."),
    "training.material_change": _("An edition was declared to ask more than those before it."),
    "training.policy_published": _("A version of a policy was published."),
    "training.recall_settled": _("A recalled question was settled."),
    "training.recall_sent_back": _("A recall was sent back by a second person."),
    "training.rule_set": _("A rule on who owes a course was set."),
    "training.signing_key_begun": _("A key began to sign certificates."),
}


def names(uids: Iterable[str], viewer: Employee) -> dict[str, str]:
    """Return what ids of actors and subjects stand for, as far as the viewer may see the people. One query."""
    wanted = set(uids)
    people = Employee.objects.visible_to(viewer).filter(uid__in=[uid for uid in wanted if not is_system(uid)])
    found = {one.uid: one.name for one in people}
    return found | {uid: str(_("the portal (%(part)s)") % {"part": uid[7:]}) for uid in wanted if is_system(uid)}


def is_system(uid: str) -> bool:
    return uid.startswith("system:")
