"""Roles and what each may do. A role is a Group; being a manager is not a role but having reports."""

HR = "HR"
COMPLIANCE = "Compliance"
AUDITOR = "Auditor"
AUTHOR = "Author"
OPERATOR = "Operator"  # who runs the machines; sees nothing of anybody

PERMISSIONS: dict[str, set[str]] = {
    HR: {
        "people.view_everyone",
        "hr.import_people",
        "scim.manage_directory",
        "training.view_certificate",
        "training.export_certificates",
        "training.manage_certificates",
        "training.view_rule",
        "training.manage_rules",
        "training.approve_exemptions",
        "training.view_signatures",
        "quizzes.grant_extra_time",
        "standing.remind_anybody",
        "reminders.view_reminders",
        "reminders.manage_reminders",
    },
    COMPLIANCE: {
        "people.view_everyone",
        "reminders.view_reminders",
        "training.view_rule",
        "training.approve_exemptions",
        "training.publish_policies",
        "training.view_signatures",
        "archive.view_every_record",
        "archive.view_imports",
        "archive.run_imports",
        "archive.review_findings",
        "archive.view_lexiconversion",
        "archive.edit_lexicon",
        "archive.view_keeping",
        "archive.manage_keeping",
        "archive.manage_sources",
        "standing.view_firm",
        "standing.manage_feed",
        "standing.choose_remedies",
        "standing.remind_anybody",
        "training.view_certificate",
        "training.manage_certificates",
        "ledger.view_entries",
        "evidence.make_packs",
        "quizzes.review_attempts",
        "quizzes.recall_question",
        "training.view_beliefs",
        "quizzes.change_signal",
        "quizzes.view_bank",
        "quizzes.change_itemfigures",
        "training.view_edition",
    },
    AUDITOR: {
        "people.view_everyone",
        "reminders.view_reminders",
        "training.view_rule",
        "training.view_signatures",
        "archive.view_every_record",
        "archive.view_imports",
        "archive.view_lexiconversion",
        "archive.view_keeping",
        "standing.view_firm",
        "training.view_certificate",
        "ledger.view_entries",
        "evidence.make_packs",
        "quizzes.review_attempts",
        "training.view_beliefs",
        "quizzes.view_bank",
        "training.view_edition",
    },
    OPERATOR: {"jobs.operate"},
    AUTHOR: {
        "training.view_course_drafts",
        "training.publish_edition",
        "quizzes.view_bank",
        "quizzes.change_question",
        "quizzes.change_itemfigures",
        "training.view_edition",
    },
}


def sync_roles() -> None:
    """Make the groups and their permissions what PERMISSIONS says. Safe to run at any time."""
    from django.contrib.auth.models import Group, Permission  # the app registry must be ready

    existing = {
        f"{p.content_type.app_label}.{p.codename}": p for p in Permission.objects.select_related("content_type")
    }
    for name, wanted in PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(existing[label] for label in sorted(wanted & existing.keys()))
