"""A cycle says itself that it has ended; each rule has its first version."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import migrations
from django.utils import timezone

BATCH = 2000
FIELDS = (
    "audience", "due_kind", "due_days", "due_date", "renewal_kind", "renewal_months", "window_days", "season",
    "grace_days", "is_active",
)  # fmt: skip


def end_completed(apps, schema_editor):
    assignments = apps.get_model("training", "Assignment").objects
    firm, last = settings.TIME_ZONE, 0
    while rows := list(
        assignments.filter(pk__gt=last, completion__isnull=False, ended_on=None)
        .select_related("completion", "employee__office")
        .order_by("pk")[:BATCH]
    ):
        for row in rows:
            zone = row.employee.office.time_zone if row.employee.office else firm
            row.ended_on = row.completion.completed_at.astimezone(ZoneInfo(zone)).date()
            row.ended_why = "completed"
        assignments.bulk_update(rows, ["ended_on", "ended_why"], batch_size=500)
        last = rows[-1].pk


def end_doubled(apps, schema_editor):
    """Of two open cycles of one duty the newer stays. There should be none: the services never made one."""
    seen = set()
    for row in apps.get_model("training", "Assignment").objects.filter(ended_on=None).order_by("-cycle").iterator():
        if (row.employee_id, row.course_id) in seen:
            row.ended_on, row.ended_why = timezone.localdate(), "moved"
            row.save(update_fields=["ended_on", "ended_why"])
        seen.add((row.employee_id, row.course_id))


def first_versions(apps, schema_editor):
    versions = apps.get_model("training", "RuleVersion").objects
    for rule in apps.get_model("training", "Rule").objects.filter(versions=None):
        terms = {name: getattr(rule, name) for name in FIELDS}
        terms |= {"course": rule.course.slug, "starts_on": rule.starts_on.isoformat()}
        by = {"made_at": timezone.now(), "made_by": "system:training"}
        versions.create(rule=rule, number=1, terms=terms, **by)


class Migration(migrations.Migration):
    dependencies = [("training", "0009_rules_with_versions_and_cycles_that_end"), ("people", "0003_tags_of_people")]
    operations = [
        migrations.RunPython(end_completed, migrations.RunPython.noop),
        migrations.RunPython(end_doubled, migrations.RunPython.noop),
        migrations.RunPython(first_versions, migrations.RunPython.noop),
    ]
