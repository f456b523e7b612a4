import django.db.models.deletion
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('hr', '0001_lists_of_people_and_what_they_change'), ('hr', '0002_a_longer_number')]

    initial = True

    dependencies = [
        ('jobs', '0001_squashed_0003_a_job_can_be_stopped'),
        ('people', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='HrFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('name', models.CharField(help_text='As it was called where it came from', max_length=200)),
                ('file', models.FileField(blank=True, help_text='Empty: removed', upload_to='hr')),
                ('sha256', models.CharField(max_length=64)),
                ('given_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('new', 'columns to be chosen'), ('comparing', 'being compared'), ('shown', 'to be looked at'), ('applying', 'being applied'), ('applied', 'applied'), ('away', 'put away'), ('unreadable', 'not readable')], default='new', max_length=10)),
                ('headers', models.JSONField(blank=True, default=list, help_text='The first row')),
                ('mapping', models.JSONField(blank=True, default=dict, help_text='{our column: its heading}')),
                ('is_complete', models.BooleanField(default=False, help_text='Who is not in it has left')),
                ('why_not', models.CharField(blank=True, help_text='Why it could not be read', max_length=300)),
                ('counts', models.JSONField(blank=True, default=dict, help_text='{kind of change: how many}, unchanged, staff, stale')),
                ('ended_at', models.DateTimeField(blank=True, help_text='Applied or put away; empty: open', null=True)),
                ('apply_job', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='jobs.job')),
                ('compare_job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='jobs.job')),
                ('given_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hr_files', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('import_people', "Can bring HR's list of people up to date")],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'applying')), fields=('state',), name='hr_one_file_is_applied_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['applied', 'away'])), models.Q(models.Q(('state__in', ['applied', 'away']), _negated=True), ('ended_at', None)), _connector='OR'), name='hr_file_ended_has_a_time')],
            },
        ),
        migrations.CreateModel(
            name='HrChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('added', 'New'), ('changed', 'Changed'), ('returns', 'Comes back'), ('leaves', 'Leaves'), ('refused', 'Refused')], max_length=8)),
                ('line', models.PositiveIntegerField(help_text='In the file; 0: not in it')),
                ('employee_no', models.CharField(max_length=64)),
                ('before', models.JSONField(blank=True, default=dict, help_text='Only the columns that differ, as text')),
                ('after', models.JSONField(blank=True, default=dict)),
                ('wrong', models.CharField(blank=True, choices=[('no_number', 'The employee number or the name is empty.'), ('twice', 'This number stands on line %(about)s already.'), ('too_long', 'The column %(about)s is too long.'), ('bad_email', 'The e-mail address is not one.'), ('email_taken', 'Somebody else has this e-mail address: %(about)s.'), ('userid_taken', 'Somebody else has this WeCom userid: %(about)s.'), ('no_office', 'There is no office with the code %(about)s.'), ('bad_date', '%(about)s is not a date like 2026-03-31.'), ('left_before_joining', 'The last day lies before the first.'), ('no_manager', 'There is no employee %(about)s to report to.'), ('own_manager', 'Nobody reports to themselves.'), ('circle', 'Reporting to %(about)s would make a circle.')], max_length=20)),
                ('about', models.CharField(blank=True, max_length=120)),
                ('done', models.CharField(blank=True, choices=[('', 'not yet'), ('yes', 'done'), ('stale', 'not done: the person was changed in the meantime'), ('circle', 'done, but for the manager: it would have made a circle')], default='', max_length=6)),
                ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='hr.hrfile')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [models.Index(fields=['file', 'kind', 'id'], name='hr_change_by_kind')],
            },
        ),
    ]
