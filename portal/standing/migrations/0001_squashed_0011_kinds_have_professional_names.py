import django.db.models.deletion
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('standing', '0001_initial'), ('standing', '0002_where_people_stood_and_feed_tokens'), ('standing', '0003_remedies'), ('standing', '0004_month_ends_stock_nudges_and_lapses'), ('standing', '0005_look_at_every_standing_again'), ('standing', '0006_a_count_says_when_it_was_made'), ('standing', '0007_a_token_says_what_it_opens'), ('standing', '0008_gifts_are_a_kind_of_finding'), ('standing', '0009_when_a_standing_changes_next'), ('standing', '0010_look_at_every_standing_once_more'), ('standing', '0011_kinds_have_professional_names')]

    initial = True

    dependencies = [
        ('archive', '0001_squashed_0030_findings_have_professional_names'),
        ('people', '0001_squashed_0005_a_longer_number_and_tags_of_the_directory'),
        ('people', '__first__'),
        ('training', '0001_squashed_0015_course_folders_that_authors_send'),
    ]

    operations = [
        migrations.CreateModel(
            name='Stock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(unique=True)),
                ('counted_at', models.DateTimeField(help_text='What came later is not in it. NULL: not kept yet then', null=True)),
                ('first_tries', models.JSONField(help_text='List of {slug, quiz, tried, passed, percent}, a module each, in order')),
            ],
            options={
                'verbose_name_plural': 'stock',
            },
        ),
        migrations.CreateModel(
            name='FeedToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opens', models.CharField(choices=[('standing', 'who may message clients'), ('firm', 'the firm’s figures')], default='standing', max_length=10)),
                ('label', models.CharField(help_text='Which machine uses it', max_length=60)),
                ('hint', models.CharField(help_text='How it begins, to tell it from others', max_length=8)),
                ('digest', models.CharField(help_text='SHA-256 of the token, hex', max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(help_text='NULL: it opens what it is for', null=True)),
                ('last_used_at', models.DateTimeField(help_text='NULL: never', null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-made_at', '-pk'],
                'permissions': [('manage_feed', 'Can make and end tokens of the permission feed')],
            },
        ),
        migrations.CreateModel(
            name='Look',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='standing_look_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='MonthEnd',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='First day of the month')),
                ('people', models.PositiveIntegerField()),
                ('current', models.PositiveIntegerField(help_text='As rules.ROWS has it')),
                ('lapsed', models.PositiveIntegerField(help_text='Likewise')),
                ('clean', models.PositiveIntegerField()),
                ('breach', models.PositiveIntegerField()),
                ('barred', models.PositiveIntegerField()),
                ('manager', models.ForeignKey(help_text='NULL: the firm', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='month_ends', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['month'],
                'constraints': [models.UniqueConstraint(fields=('manager', 'month'), name='standing_month_end_once_per_manager'), models.UniqueConstraint(condition=models.Q(('manager', None)), fields=('month',), name='standing_month_end_once_for_the_firm')],
            },
        ),
        migrations.CreateModel(
            name='Nudge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('asked_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(help_text='NULL: still waiting for the mail server', null=True)),
                ('entry_seq', models.PositiveBigIntegerField(help_text='The ledger Entry that says so')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='nudges', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('remind_anybody', 'Can remind everybody of training that is due')],
                'indexes': [models.Index(condition=models.Q(('sent_at', None)), fields=['asked_at'], name='standing_nudge_waiting')],
                'constraints': [models.UniqueConstraint(fields=('employee', 'on'), name='standing_nudge_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Remedy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('off_channel', 'Off-channel communication'), ('deletion_request', 'Deletion request'), ('recall_pattern', 'Excessive recalls'), ('consent_missing', 'Consent missing'), ('after_refusal', 'Messaging after refusal'), ('unseated_client_talk', 'Client messages without a licence'), ('barred_talk', 'Client messages while not permitted'), ('self_report', 'Self-report'), ('silent_seat', 'Inactive licence'), ('media_missing', 'Attachments not archived'), ('client_gift', 'Monetary gifts to clients'), ('capture_late', 'Late capture'), ('source_silent', 'Feed interrupted'), ('hole', 'Sequence gap'), ('conflict', 'Conflicting records'), ('unmatched_identity', 'Unmatched ID'), ('unknown_kind', 'Unknown message type'), ('unreadable', 'Decryption failure'), ('text_repaired', 'Invalid characters replaced'), ('integrity', 'Integrity failure')], max_length=24, unique=True)),
                ('course', models.SlugField(blank=True, max_length=80)),
                ('module', models.SlugField(blank=True, max_length=80)),
                ('lesson', models.SlugField(blank=True, max_length=80)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'remedies',
                'permissions': [('choose_remedies', 'Can choose which lesson a kind of finding calls for')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('course', ''), ('lesson', ''), ('module', '')), models.Q(('course', ''), ('module', ''), ('lesson', ''), _connector='OR', _negated=True), _connector='OR'), name='standing_remedy_names_a_whole_lesson_or_none')],
            },
        ),
        migrations.CreateModel(
            name='RemedyTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('assigned_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField(help_text='NULL: not opened', null=True)),
                ('done_at', models.DateTimeField(help_text='NULL: not done', null=True)),
                ('withdrawn_at', models.DateTimeField(help_text='The finding was settled before; NULL: it stands', null=True)),
                ('answers', models.JSONField(default=dict, help_text='By the name of the block, as in Progress.answers')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='remedy_tasks', to=settings.AUTH_USER_MODEL)),
                ('finding', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='remedy_task', to='archive.finding')),
                ('lesson', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='training.lesson')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('done_at', None), ('withdrawn_at', None)), fields=['employee'], name='standing_remedy_task_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('done_at', None), models.Q(('opened_at__isnull', False), ('withdrawn_at', None)), _connector='OR'), name='standing_remedy_task_done_after_opening')],
            },
        ),
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training_state', models.CharField(choices=[('not_assigned', 'Not assigned'), ('assigned', 'Assigned'), ('in_progress', 'In progress'), ('current', 'Current'), ('due_soon', 'Due soon'), ('overdue', 'Overdue'), ('expired', 'Expired'), ('exempt', 'Exempt')], max_length=16)),
                ('archive_state', models.CharField(choices=[('no_data', 'No data'), ('clean', 'Clean'), ('attention', 'Attention'), ('breach', 'Breach')], max_length=16)),
                ('may_message', models.BooleanField()),
                ('reasons', models.JSONField(help_text="List of {code, …facts}; words.py says them in the reader's language")),
                ('is_on_staff', models.BooleanField(default=True, help_text="On HR's list, and the last day has not passed")),
                ('policy_version', models.CharField(default='1', max_length=20)),
                ('since', models.DateTimeField(help_text='When it last changed')),
                ('entry_seq', models.PositiveBigIntegerField(default=0, help_text='The ledger Entry of its last change')),
                ('next_change_at', models.DateTimeField(blank=True, help_text='Empty: no day changes it by itself', null=True)),
                ('lapses_on', models.DateField(help_text='First day untrained if nobody acts. NULL: so now, or never', null=True)),
                ('department', models.ForeignKey(help_text='NULL: in none', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.department')),
                ('employee', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='standing', to=settings.AUTH_USER_MODEL)),
                ('manager', models.ForeignKey(help_text='NULL: reports to nobody', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(help_text='NULL: in none', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.office')),
            ],
            options={
                'permissions': [('view_firm', "Can see the firm's page")],
                'indexes': [models.Index(fields=['next_change_at'], name='standing_by_next_moment'), models.Index(fields=['training_state', 'archive_state'], name='standing_by_states'), models.Index(fields=['is_on_staff', 'may_message'], name='standing_by_permission'), models.Index(fields=['entry_seq'], name='standing_by_entry'), models.Index(fields=['lapses_on'], name='standing_by_lapse')],
            },
        ),
        migrations.CreateModel(
            name='StandingChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training_state', models.CharField(choices=[('not_assigned', 'Not assigned'), ('assigned', 'Assigned'), ('in_progress', 'In progress'), ('current', 'Current'), ('due_soon', 'Due soon'), ('overdue', 'Overdue'), ('expired', 'Expired'), ('exempt', 'Exempt')], max_length=16)),
                ('archive_state', models.CharField(choices=[('no_data', 'No data'), ('clean', 'Clean'), ('attention', 'Attention'), ('breach', 'Breach')], max_length=16)),
                ('may_message', models.BooleanField()),
                ('reasons', models.JSONField(help_text="List of {code, …facts}; words.py says them in the reader's language")),
                ('is_on_staff', models.BooleanField(default=True, help_text="On HR's list, and the last day has not passed")),
                ('policy_version', models.CharField(default='1', max_length=20)),
                ('at', models.DateTimeField()),
                ('entry_seq', models.PositiveBigIntegerField(help_text='The ledger Entry of this change', unique=True)),
                ('department', models.ForeignKey(help_text='NULL: in none', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.department')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='standing_changes', to=settings.AUTH_USER_MODEL)),
                ('manager', models.ForeignKey(help_text='NULL: reports to nobody', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(help_text='NULL: in none', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.office')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['employee', 'at'], name='standing_change_of_person'), models.Index(fields=['at'], name='standing_change_by_time')],
            },
        ),
    ]
