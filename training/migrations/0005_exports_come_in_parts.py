from django.core.files.storage import default_storage
from django.db import migrations


def parts_of_what_was_one_file(apps, schema_editor):
    exports = apps.get_model("training", "CertificateExport")
    part = apps.get_model("training", "ExportPart")
    for export in exports.objects.exclude(file="").iterator(chunk_size=500):
        name = export.file.name
        size = default_storage.size(name) if default_storage.exists(name) else 0
        fields = {"file": name, "sha256": export.sha256, "size": size, "count": export.count}
        part.objects.get_or_create(export=export, number=1, defaults=fields)


class Migration(migrations.Migration):
    dependencies = [("training", "0004_certificates_are_signed")]

    operations = [migrations.RunPython(parts_of_what_was_one_file, migrations.RunPython.noop)]
