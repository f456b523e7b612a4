import django.db.models.deletion
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('reminders', '0001_reminders_once_a_day_by_an_outbox')]

    initial = True

    dependencies = [
        ('jobs', '0001_squashed_0003_a_job_can_be_stopped'),
        ('people', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='TermsVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(unique=True)),
                ('terms', models.JSONField(help_text='Every field of rules.Terms')),
                ('made_at', models.DateTimeField()),
                ('made_by', models.CharField(help_text='uid, or system:<name>', max_length=64)),
            ],
            options={
                'ordering': ['-number'],
                'permissions': [('view_reminders', 'Can see which reminders go out'), ('manage_reminders', 'Can set when reminders go out, and settle bounced addresses')],
            },
        ),
        migrations.CreateModel(
            name='Digest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=10)),
                ('content', models.JSONField(help_text='As making.Draft has it: items, people, done, calendar')),
                ('is_of_archive', models.BooleanField(help_text="Nothing in it but what the archive calls for: not for HR's eyes")),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('on', models.DateField(help_text='The day where the person works')),
                ('made_at', models.DateTimeField()),
                ('terms_version', models.PositiveIntegerField()),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='digests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-on', '-pk'],
                'constraints': [models.UniqueConstraint(fields=('employee', 'on'), name='reminders_digest_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(help_text="The digest's day")),
                ('channel', models.CharField(choices=[('mail', 'e-mail'), ('wecom', 'WeCom message'), ('robot', 'WeCom group robot')], max_length=10)),
                ('address', models.CharField(help_text='Where to: an e-mail address or a WeCom userid', max_length=254)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('leased', 'being sent'), ('sent', 'sent'), ('bounced', 'bounced'), ('late', 'not sent in time'), ('failed', 'given up')], default='waiting', max_length=10)),
                ('due_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(help_text='Empty: nobody has it', null=True)),
                ('lease_token', models.CharField(blank=True, max_length=32)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('handed_at', models.DateTimeField(help_text='When it was last about to be handed over. Empty: never', null=True)),
                ('may_be_twice', models.BooleanField(default=False, help_text='A worker died while handing it over, so it went again')),
                ('sent_at', models.DateTimeField(help_text='Empty: not taken yet', null=True)),
                ('error', models.CharField(blank=True, help_text='What the server said last', max_length=500)),
                ('entry_seq', models.PositiveBigIntegerField(help_text='The ledger Entry that says it was sent', null=True)),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('digest', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='reminders.digest')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(fields=['digest'], name='reminders_delivery_of_digest'), models.Index(fields=['-on', '-id'], name='reminders_delivery_by_day'), models.Index(condition=models.Q(('state__in', ['waiting', 'leased'])), fields=['due_at'], name='reminders_delivery_waiting')],
                'constraints': [models.UniqueConstraint(fields=('employee', 'on', 'channel'), name='reminders_delivery_once_a_channel'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'leased')), models.Q(models.Q(('state', 'leased'), _negated=True), ('lease_until', None)), _connector='OR'), name='reminders_delivery_is_sent_under_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('entry_seq', None), ('sent_at', None)), models.Q(('entry_seq__isnull', False), ('sent_at__isnull', False)), _connector='OR'), name='reminders_delivery_sent_has_an_entry')],
            },
        ),
        migrations.CreateModel(
            name='CalendarEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('key', models.CharField(help_text='What is owed, among those of its kind', max_length=80)),
                ('uid', models.CharField(default=portal.people.models.opaque_id, max_length=32)),
                ('title', models.CharField(max_length=300)),
                ('due_on', models.DateField()),
                ('sequence', models.PositiveIntegerField(default=0)),
                ('closed_on', models.DateField(help_text='Done, or not owed any more. Empty: stands', null=True)),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('digest', models.ForeignKey(help_text='Which told it last; empty: must be told', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reminders.digest')),
            ],
            options={
                'verbose_name_plural': 'calendar entries',
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_on', None)), fields=('employee', 'kind', 'key'), name='reminders_calendar_entry_stands_once')],
            },
        ),
        migrations.CreateModel(
            name='Handled',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('at', models.DateTimeField()),
                ('entry_seq', models.PositiveBigIntegerField(help_text='The ledger Entry that says so')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'handled',
                'constraints': [models.UniqueConstraint(fields=('employee', 'by', 'on'), name='reminders_handled_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Preview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('asked_at', models.DateTimeField()),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reminder_preview', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Foreseen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=10)),
                ('content', models.JSONField(help_text='As making.Draft has it: items, people, done, calendar')),
                ('is_of_archive', models.BooleanField(help_text="Nothing in it but what the archive calls for: not for HR's eyes")),
                ('channels', models.JSONField(help_text='By what it would go; none: the person cannot be reached')),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('preview', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='reminders.preview')),
            ],
            options={
                'verbose_name_plural': 'foreseen',
                'constraints': [models.UniqueConstraint(fields=('preview', 'employee'), name='reminders_foreseen_once_a_person')],
            },
        ),
        migrations.CreateModel(
            name='Round',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('zone', models.CharField(max_length=64)),
                ('on', models.DateField(help_text='The day there')),
                ('since', models.DateField(help_text='The day of the round before: what fell due for a reminder after it is caught up')),
                ('terms_version', models.PositiveIntegerField(help_text='0: as it ships')),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reminder_round', to='jobs.job')),
            ],
            options={
                'ordering': ['-on', 'zone'],
                'constraints': [models.UniqueConstraint(fields=('zone', 'on'), name='reminders_round_once_a_day_and_zone'), models.CheckConstraint(condition=models.Q(('since__lt', models.F('on'))), name='reminders_round_follows_another')],
            },
        ),
        migrations.CreateModel(
            name='Bounce',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254)),
                ('how', models.CharField(choices=[('refused', 'refused at once'), ('report', 'reported later')], max_length=10)),
                ('status', models.CharField(help_text='As RFC 3463 has it: 5.1.1', max_length=12)),
                ('is_lasting', models.BooleanField(help_text='Writing again is of no use until somebody has done something')),
                ('said', models.CharField(blank=True, help_text="The server's words", max_length=500)),
                ('at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(help_text='Empty: open', null=True)),
                ('entry_seq', models.PositiveBigIntegerField(help_text='The ledger Entry that says so')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bounces', to=settings.AUTH_USER_MODEL)),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bounces', to='reminders.delivery')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(condition=models.Q(('settled_at', None)), fields=['employee'], name='reminders_bounce_open')],
                'constraints': [models.UniqueConstraint(fields=('delivery',), name='reminders_bounce_once_a_delivery')],
            },
        ),
    ]
