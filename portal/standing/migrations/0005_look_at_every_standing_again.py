from django.db import migrations
from django.utils import timezone


def look_again(apps, schema_editor):
    """When training lapses is new: the next look fills it in, as on any day that changes something."""
    apps.get_model("standing", "Standing").objects.update(next_change_on=timezone.localdate())


class Migration(migrations.Migration):
    dependencies = [("standing", "0004_month_ends_stock_nudges_and_lapses")]

    operations = [migrations.RunPython(look_again, migrations.RunPython.noop)]
