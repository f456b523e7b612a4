"""Encrypts the words that are kept, and names findings about a message by its id rather than by its number."""

from django.db import migrations
from django.db.models import F

from archive import sealing


def seal(apps, schema_editor):
    texts, asides = apps.get_model("archive", "MessageText").objects, apps.get_model("archive", "SetAside").objects
    for pk, text in texts.filter(key_id="").values_list("pk", "text").iterator(chunk_size=500):
        sealed, key_id = sealing.seal(text.encode())
        texts.filter(pk=pk).update(sealed=sealed, key_id=key_id)
    for pk, raw in asides.filter(key_id="", raw__isnull=False).values_list("pk", "raw").iterator(chunk_size=100):
        sealed, key_id = sealing.seal(bytes(raw))
        asides.filter(pk=pk).update(sealed=sealed, key_id=key_id)


def open_again(apps, schema_editor):
    texts, asides = apps.get_model("archive", "MessageText").objects, apps.get_model("archive", "SetAside").objects
    for pk, sealed, key_id in texts.values_list("pk", "sealed", "key_id").iterator(chunk_size=500):
        texts.filter(pk=pk).update(text=sealing.unseal(sealed, key_id).decode())
    for pk, sealed, key_id in asides.exclude(sealed=None).values_list("pk", "sealed", "key_id").iterator(chunk_size=100):
        asides.filter(pk=pk).update(raw=sealing.unseal(sealed, key_id))


def name_by_message(apps, schema_editor):
    findings = apps.get_model("archive", "Finding").objects
    about = findings.filter(kind__in=["off_channel", "deletion_request"], message__isnull=False)
    for pk, kind, channel, msgid in about.values_list("pk", "kind", "message__channel", "message__msgid").iterator():
        findings.filter(pk=pk).update(key=f"{kind}:{channel}:{msgid}")
    for pk, source, facts, key in findings.filter(kind="conflict").values_list("pk", "source_id", "facts", "key"):
        findings.filter(pk=pk).update(key=f"conflict:{source}:{facts['msgid']}:{facts['seq']}:{key.rpartition(':')[2]}")
    apps.get_model("archive", "Import").objects.update(passed=F("offset"))


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0004_more_feeds_keys_holds_and_versions"),
    ]

    operations = [
        migrations.RunPython(seal, open_again, elidable=True),
        migrations.RunPython(name_by_message, migrations.RunPython.noop, elidable=True),
    ]
