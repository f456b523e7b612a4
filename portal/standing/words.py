"""Reasons, said to a person in the language of the page."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.models import Finding


def say(reason: dict) -> str:
    """Return a stored reason ({code, on, count}) as a sentence."""
    on = date_format(date.fromisoformat(reason["on"]), "DATE_FORMAT") if reason.get("on") else ""
    return _sentence(reason["code"], on, reason.get("count") or 0)


def _sentence(code: str, on: str, count: int) -> str:
    match code:
        case "training_current":
            return _("Training is current until %(on)s.") % {"on": on}
        case "training_exempt":
            return _("Exempt from the course until %(on)s.") % {"on": on}
        case "training_due_soon":
            return _("The course is due soon, on %(on)s.") % {"on": on}
        case "training_assigned":
            return _("The course has been assigned and is due on %(on)s.") % {"on": on}
        case "training_in_progress":
            return _("The course has been begun and is due on %(on)s.") % {"on": on}
        case "training_overdue":
            return _("The course was due on %(on)s. Finishing it lifts this bar.") % {"on": on}
        case "training_expired":
            return _("Training expired on %(on)s. Taking the course again lifts this bar.") % {"on": on}
        case "training_not_assigned":
            return _("The course has not been assigned yet. HR can tell why.")
        case "archive_clean":
            return _("Nothing is open in what the archive holds.")
        case "archive_attention":
            return ngettext(
                "One point in the archive record needs attention: an open finding, or a month that was silent or late.",
                "%(count)d points in the archive record need attention: open findings, or months that were silent or "
                "late.",
                count,
            ) % {"count": count}
        case "training_grace":
            return _("The course is late. You may go on messaging clients until %(on)s; finish it before then.") % {
                "on": on
            }
        case "not_on_staff":
            return _("Not on the firm's staff, so not permitted.")
        case "office_out_of_scope":
            return _("The firm's rule on messaging does not cover this office.")
        case "archive_breach":
            return _("Compliance has an open case about how messages are kept.")
        case "finding_off_channel":
            return _("Compliance has confirmed, or not yet settled, that business was moved off the firm's channel.")
        case "finding_deletion_request":
            return _("Compliance has confirmed, or not yet settled, that somebody was asked to delete messages.")
        case "finding_barred_talk":
            return _("Clients were written to while messaging was not permitted.")
        case "finding_unseated_client_talk":
            return _("Clients were written to without an archive seat, so those messages may not be kept.")
        case "finding_after_refusal":
            return _("A client had refused archiving and was written to all the same.")
        case _ if code.startswith("finding_"):
            return _("Compliance has an open case: %(kind)s.") % {
                "kind": Finding.Kind(code.removeprefix("finding_")).label
            }
        case "archive_no_data":
            return _("The archive holds no messages for the last full month.")
    raise ValueError(code)
