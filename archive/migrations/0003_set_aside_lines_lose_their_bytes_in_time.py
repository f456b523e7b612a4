import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def give_them_a_term(apps, schema_editor):
    """Lines of before: name their bytes by a digest, and keep them as long as one that is set aside today."""
    keeps = settings.ARCHIVE_TEXT != "none"
    until = timezone.now() + timedelta(days=7) if settings.ARCHIVE_TEXT == "flagged" else None
    asides = apps.get_model("archive", "SetAside").objects
    for pk, raw in asides.filter(digest="").values_list("pk", "raw").iterator(chunk_size=200):
        fields = {"delete_after": until} if keeps else {"raw": None}
        asides.filter(pk=pk).update(digest=hashlib.sha256(raw).hexdigest(), **fields)


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0002_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="setaside",
            name="raw",
            field=models.BinaryField(null=True, help_text="The first 64 KiB of the line; NULL: deleted, or never kept"),
        ),
        migrations.AddField(
            model_name="setaside",
            name="digest",
            field=models.CharField(
                max_length=64, default="", help_text="SHA-256 of the first 64 KiB, hex: it stays"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="setaside",
            name="delete_after",
            field=models.DateTimeField(null=True, help_text="NULL: no bytes, or as long as policy says"),
        ),
        migrations.AddConstraint(
            model_name="setaside",
            constraint=models.CheckConstraint(
                condition=models.Q(("delete_after", None), ("raw__isnull", False), _connector="OR"),
                name="archive_aside_deletes_what_is_there",
            ),
        ),
        migrations.AddIndex(
            model_name="setaside",
            index=models.Index(
                condition=models.Q(("maybe_seq__isnull", False)),
                fields=["maybe_seq"],
                name="archive_aside_by_maybe_seq",
            ),
        ),
        migrations.AddIndex(
            model_name="setaside",
            index=models.Index(
                condition=models.Q(("delete_after__isnull", False)),
                fields=["delete_after"],
                name="archive_aside_to_delete",
            ),
        ),
        migrations.RunPython(give_them_a_term, migrations.RunPython.noop, elidable=True),
    ]
