from datetime import UTC

from django.db import migrations
from django.db.models import Max, Min
from django.db.models.functions import TruncHour


def fill_in(apps, schema_editor):
    """Note the hours of the messages that are here, by the source that keeps each and by those that brought a copy."""
    Message, Delivery, Heard = (apps.get_model("archive", name) for name in ("Message", "Delivery", "Heard"))
    hours = {}
    for rows, sent_at in ((Message.objects, "sent_at"), (Delivery.objects, "message__sent_at")):
        found = rows.filter(**{f"{sent_at}__isnull": False}).annotate(hour=TruncHour(sent_at, tzinfo=UTC))
        found = found.order_by().values_list("source", "hour").annotate(first=Min(sent_at), last=Max(sent_at))
        for source, hour, first, last in found.iterator(chunk_size=2000):
            known = hours.get((source, hour), (first, last))
            hours[source, hour] = min(first, known[0]), max(last, known[1])
    Heard.objects.bulk_create(
        (
            Heard(source_id=source, hour=hour, first_at=first, last_at=last)
            for (source, hour), (first, last) in hours.items()
        ),
        batch_size=400,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [('archive', '0017_when_each_source_was_heard')]

    operations = [migrations.RunPython(fill_in, migrations.RunPython.noop)]
