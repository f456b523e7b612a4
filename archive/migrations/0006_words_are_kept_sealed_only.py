from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0005_seal_words_and_name_findings_by_message"),
    ]

    operations = [
        migrations.RemoveField(
            model_name='messagetext',
            name='text',
        ),
        migrations.RemoveField(
            model_name='setaside',
            name='raw',
        ),
        migrations.AddConstraint(
            model_name='setaside',
            constraint=models.CheckConstraint(condition=models.Q(('delete_after', None), ('sealed__isnull', False), _connector='OR'), name='archive_aside_deletes_what_is_there'),
        ),
    ]
