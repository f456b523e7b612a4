from django.db import migrations


def fill(apps, schema_editor):
    """Until now every quiz asked what the files of its course said: a handful of modules, some hundred questions."""
    Module = apps.get_model("training", "Module")
    for module in Module.objects.select_related("quiz").iterator():
        asked = module.quiz.questions.values_list("slug", "fingerprint", "version")
        module.given = {slug: [fingerprint, version] for slug, fingerprint, version in asked}
        module.save(update_fields=["given"])


class Migration(migrations.Migration):
    dependencies = [("training", "0002_banks_are_connected_with_quizzes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
