from django.db import migrations

BATCH = 1000


def mark_told(apps, schema_editor):
    Hole, Finding = apps.get_model("archive", "Hole"), apps.get_model("archive", "Finding")
    after = 0
    while chunk := list(Hole.objects.filter(pk__gt=after).order_by("pk")[:BATCH]):
        after = chunk[-1].pk
        keys = {f"hole:{one.source_id}:{one.first}-{one.last}": one.pk for one in chunk}
        known = Finding.objects.filter(key__in=list(keys)).values_list("key", flat=True)
        Hole.objects.filter(pk__in=[keys[key] for key in known]).update(is_told=True)


class Migration(migrations.Migration):
    dependencies = [("archive", "0025_imports_are_judged_piece_by_piece")]

    operations = [migrations.RunPython(mark_told, migrations.RunPython.noop)]
