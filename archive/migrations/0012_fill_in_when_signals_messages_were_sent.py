from django.db import migrations
from django.db.models import OuterRef, Subquery

BATCH = 5000


def fill_in(apps, schema_editor):
    Signal, Message = apps.get_model("archive", "Signal"), apps.get_model("archive", "Message")
    sent = Message.objects.filter(pk=OuterRef("message_id")).values("sent_at")
    last = Signal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for at in range(0, last, BATCH):
        some = Signal.objects.filter(pk__gt=at, pk__lte=at + BATCH, sent_at=None)
        some.update(sent_at=Subquery(sent[:1]))


class Migration(migrations.Migration):
    dependencies = [('archive', '0011_signals_tell_when_their_message_was_sent')]

    operations = [migrations.RunPython(fill_in, migrations.RunPython.noop)]
