import django.db.models.deletion
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('jobs', '0001_initial'), ('jobs', '0002_initial'), ('jobs', '0003_a_job_can_be_stopped')]

    initial = True

    dependencies = [
        ('people', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('kind', models.CharField(help_text='Name of the Celery task that works on it', max_length=100)),
                ('key', models.CharField(help_text='Same kind and key: the same work', max_length=120)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('stopped', 'stopped'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=10)),
                ('params', models.JSONField(blank=True, default=dict, help_text='Opaque ids only')),
                ('cursor', models.JSONField(blank=True, default=dict, help_text='How far it came')),
                ('done', models.PositiveBigIntegerField(default=0)),
                ('total', models.PositiveBigIntegerField(blank=True, help_text='Empty: not known', null=True)),
                ('result', models.JSONField(blank=True, default=dict)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Since it last came forward')),
                ('due_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(blank=True, help_text='Empty: nobody works on it', null=True)),
                ('lease_token', models.CharField(blank=True, max_length=32)),
                ('may_stop', models.BooleanField(default=False, help_text='Whoever started it may stop it and let it go on')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(blank=True, help_text='Empty: not ended', null=True)),
                ('started_by', models.ForeignKey(help_text='Empty: the system', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='jobs_job_by_state')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='jobs_job_once_per_kind_and_key'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until', None)), _connector='OR'), name='jobs_job_runs_under_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['done', 'failed'])), models.Q(('ended_at', None), ('state__in', ['waiting', 'running', 'stopped'])), _connector='OR'), name='jobs_job_ended_has_a_time')],
            },
        ),
    ]
