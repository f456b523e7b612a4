from django.db import migrations
from django.db.models import Count


def count_those_read_again(apps, schema_editor):
    imports, asides = (apps.get_model("archive", name) for name in ("Import", "SetAside"))
    repaired = asides.objects.exclude(repaired_by=None).order_by().values_list("run").annotate(lines=Count("pk"))
    for run, lines in repaired.iterator(chunk_size=2000):
        imports.objects.filter(pk=run).update(asides_settled=lines)


class Migration(migrations.Migration):
    dependencies = [("archive", "0027_lines_set_aside_are_settled_and_numbers_asked_about")]
    operations = [migrations.RunPython(count_those_read_again, migrations.RunPython.noop)]
