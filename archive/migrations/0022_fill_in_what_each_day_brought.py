from collections import defaultdict

from django.db import migrations
from django.utils import timezone

KINDS = ("content", "recalls", "consents", "control", "unreadable")


def fill_in(apps, schema_editor):
    """Tell the kinds and the longest pause of past days from the imports that ended on them.

    Where the imports of a day do not add up to what the day says, as for one read over midnight, its kinds stay unknown.
    """
    Import, Intake = apps.get_model("archive", "Import"), apps.get_model("archive", "Intake")
    sums, pauses, last = defaultdict(lambda: [0] * 6), {}, {}
    runs = Import.objects.filter(state="done").order_by("ended_at", "pk")
    columns = ("source_id", "via", "ended_at", "stored", *KINDS)
    for source, via, ended_at, *counts in runs.values_list(*columns).iterator(chunk_size=2000):
        key = source, timezone.localdate(ended_at), via
        sums[key] = [a + b for a, b in zip(sums[key], counts, strict=True)]
        if via != "repair":
            if source in last:
                pause = int((ended_at - last[source]).total_seconds())
                pauses[key] = max(pauses.get(key, 0), pause)
            last[source] = ended_at
    for row in Intake.objects.all().iterator(chunk_size=2000):
        key = row.source_id, row.day, row.via
        stored, *kinds = sums.get(key, [0] * 6)
        if stored == row.stored == sum(kinds):
            for name, count in zip(KINDS, kinds, strict=True):
                setattr(row, name, count)
        row.longest_pause = pauses.get(key)
        row.save(update_fields=[*KINDS, "longest_pause"])


class Migration(migrations.Migration):
    dependencies = [('archive', '0021_copies_of_answers_rooms_and_months_of_sources')]

    operations = [migrations.RunPython(fill_in, migrations.RunPython.noop)]
