from collections import Counter

from django.db import migrations
from django.db.models import Max
from django.utils import timezone

COUNTS = ("lines", "stored", "duplicates", "conflicts", "set_aside")


def count(apps, schema_editor):
    """Add up the imports so far by source, day and way, and say of each source when a delivery was last taken."""
    Import, Intake, Source = (apps.get_model("archive", name) for name in ("Import", "Intake", "Source"))
    sums = {}
    for run in Import.objects.order_by("pk").iterator(chunk_size=2000):
        of_day = sums.setdefault((run.source_id, timezone.localdate(run.started_at), run.via), Counter())
        of_day["deliveries"] += run.state in ("judging", "done")
        for name in COUNTS:
            of_day[name] += getattr(run, name)
    rows = (
        Intake(source_id=source, day=day, via=via, **{name: found[name] for name in (*COUNTS, "deliveries")})
        for (source, day, via), found in sums.items()
    )
    Intake.objects.bulk_create(rows, batch_size=400)
    taken = Import.objects.filter(state="done").values("source").annotate(at=Max("ended_at"))
    for row in taken.order_by("source"):
        Source.objects.filter(pk=row["source"], last_pull_at=None).update(last_pull_at=row["at"])


class Migration(migrations.Migration):
    dependencies = [('archive', '0014_pushes_are_answered_once_and_counted_by_day')]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
