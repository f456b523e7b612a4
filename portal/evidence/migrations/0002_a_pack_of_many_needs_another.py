from django.conf import settings
from django.db import migrations, models


def firm_needs_approval(apps, schema_editor):
    apps.get_model("evidence", "Pack").objects.filter(scope="firm").update(needs_approval=True)


class Migration(migrations.Migration):

    dependencies = [
        ('evidence', '0001_packs_of_evidence'),
        ('jobs', '0003_a_job_can_be_stopped'),
        ('people', '0003_tags_of_people'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='pack',
            name='evidence_pack_of_the_firm_is_approved_by_another',
        ),
        migrations.AddField(
            model_name='pack',
            name='needs_approval',
            field=models.BooleanField(default=False, help_text='Whether somebody else must approve it'),
        ),
        migrations.AddField(
            model_name='pack',
            name='people',
            field=models.PositiveIntegerField(default=0, help_text='Of how many it speaks, counted when it was asked for'),
        ),
        migrations.RunPython(firm_needs_approval, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='pack',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('scope', 'firm'), _negated=True), ('needs_approval', True), _connector='OR'), name='evidence_pack_of_the_firm_needs_approval'),
        ),
        migrations.AddConstraint(
            model_name='pack',
            constraint=models.CheckConstraint(condition=models.Q(('needs_approval', False), ('state', 'asked'), ('decided_by__isnull', False), _connector='OR'), name='evidence_pack_that_needs_it_is_approved_by_another'),
        ),
    ]
