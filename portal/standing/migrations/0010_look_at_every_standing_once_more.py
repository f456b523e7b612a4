"""By when each standing changes next is not known to the moment yet: look at all of them once more."""

from django.db import migrations
from django.utils import timezone


def look_again(apps, schema_editor):
    apps.get_model("standing", "Standing").objects.update(next_change_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("standing", "0009_when_a_standing_changes_next")]
    operations = [migrations.RunPython(look_again, migrations.RunPython.noop)]
