import django.db.models.deletion
import portal.people.models
import training.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('training', '0001_initial'), ('training', '0002_banks_are_connected_with_quizzes'), ('training', '0003_what_the_files_said_of_each_question'), ('training', '0004_certificates_are_signed'), ('training', '0005_exports_come_in_parts'), ('training', '0006_an_export_is_no_file_any_more'), ('training', '0007_one_try_without_the_lessons'), ('training', '0008_what_keeps_a_lesson_true'), ('training', '0009_rules_with_versions_and_cycles_that_end'), ('training', '0010_end_the_cycles_that_were_completed'), ('training', '0011_one_open_cycle_for_each_duty'), ('training', '0012_policies_signed_each_quarter'), ('training', '0013_questions_that_keep_a_course_fresh'), ('training', '0014_a_short_course_for_who_knows_an_older_edition'), ('training', '0015_course_folders_that_authors_send')]

    initial = True

    dependencies = [
        ('jobs', '0001_squashed_0003_a_job_can_be_stopped'),
        ('people', '__first__'),
        ('quizzes', '0001_squashed_0011_a_second_person_settles_a_recall'),
    ]

    operations = [
        migrations.CreateModel(
            name='Course',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='ImportedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('read_at', models.DateTimeField()),
                ('read_by', models.CharField(help_text='uid, or system:<name>', max_length=64)),
                ('count', models.PositiveIntegerField(help_text='Completions that came from it')),
                ('aside', models.JSONField(default=list, help_text='[line, reason] of the lines that were not read')),
            ],
            options={
                'ordering': ['-read_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
                ('is_quarterly', models.BooleanField(default=False, help_text="Signed anew for each quarter, beside one's record")),
            ],
            options={
                'verbose_name_plural': 'policies',
                'permissions': [('publish_policies', 'Can publish policies to sign'), ('view_signatures', 'Can see who has signed what')],
            },
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(help_text='SHA-256 of its certificate', max_length=64, unique=True)),
                ('pem', models.TextField(help_text='Its certificate, and those of who vouches for it')),
                ('begun_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['begun_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='StatusList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='Certificate.id // SIZE', unique=True)),
                ('credential', models.TextField(help_text='Signed; says until when it may be relied on')),
                ('made_at', models.DateTimeField()),
                ('is_stale', models.BooleanField(default=False, help_text='A certificate was revoked or replaced since')),
            ],
        ),
        migrations.CreateModel(
            name='CertificateExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('choice', models.JSONField(help_text='department id, course id, from, to: as asked')),
                ('count', models.PositiveIntegerField(default=0, help_text='Certificates in all parts, once it is done')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificate_exports', to=settings.AUTH_USER_MODEL)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='certificate_export', to='jobs.job')),
            ],
            options={
                'ordering': ['-asked_at'],
            },
        ),
        migrations.CreateModel(
            name='CourseUpload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('at', models.DateTimeField()),
                ('name', models.CharField(help_text='Of the file, as it was sent', max_length=200)),
                ('course', models.SlugField(help_text='Slug of the course in it')),
                ('sha256', models.CharField(max_length=64)),
                ('data', models.BinaryField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='course_uploads', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Edition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('fingerprint', models.CharField(max_length=64)),
                ('languages', models.JSONField(help_text='List, the first is the source')),
                ('title', models.JSONField(help_text='Text per language')),
                ('summary', models.JSONField(help_text='Text per language')),
                ('pass_percent', models.PositiveSmallIntegerField()),
                ('renewal_months', models.PositiveSmallIntegerField()),
                ('sources', models.JSONField(help_text='{id: {kind, jurisdiction, short, name, number, body, link, checked}}')),
                ('questions_sha256', models.CharField(blank=True, help_text='Of all that its quizzes may ask, see supply.print_of. Empty: before', max_length=64)),
                ('published_at', models.DateTimeField()),
                ('change', models.CharField(choices=[('minor', 'Minor'), ('material', 'Material')], default='material', max_length=8)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='editions', to='training.course')),
            ],
            options={
                'permissions': [('publish_edition', 'Can publish what question banks hold as a new edition')],
                'constraints': [models.UniqueConstraint(fields=('course', 'number'), name='training_edition_number_once'), models.CheckConstraint(condition=models.Q(('change__in', ['minor', 'material'])), name='training_edition_change_known')],
            },
        ),
        migrations.CreateModel(
            name='Delta',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deltas_onward', to='training.edition')),
                ('edition', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deltas', to='training.edition')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('before', 'edition'), name='training_delta_once'), models.CheckConstraint(condition=models.Q(('before', models.F('edition')), _negated=True), name='training_delta_leads_onward')],
            },
        ),
        migrations.CreateModel(
            name='Exemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=500)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(help_text='The last day of it')),
                ('approved_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exemptions_approved', to=settings.AUTH_USER_MODEL)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exemptions', to='training.course')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exemptions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['course', 'ends_on'], name='training_exemption_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='training_exemption_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('employee', models.F('approved_by')), _negated=True), name='training_exemption_is_not_ones_own')],
            },
        ),
        migrations.CreateModel(
            name='ExemptionAsk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('reason', models.CharField(max_length=500)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(help_text='The last day of it')),
                ('asked_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(help_text='Empty: waiting', null=True)),
                ('refused_why', models.CharField(blank=True, help_text='Empty: not refused', max_length=500)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exemption_asks', to='training.course')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exemption_asks', to=settings.AUTH_USER_MODEL)),
                ('exemption', models.OneToOneField(help_text='Empty: not approved', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ask', to='training.exemption')),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'indexes': [models.Index(condition=models.Q(('decided_at', None)), fields=['asked_at'], name='training_ask_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='training_ask_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(models.Q(('decided_by', models.F('asked_by')), _negated=True), models.Q(('decided_by', models.F('employee')), _negated=True)), _connector='OR'), name='training_ask_is_decided_by_somebody_else')],
            },
        ),
        migrations.CreateModel(
            name='ExportPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='From 1')),
                ('file', models.FileField(upload_to='exports')),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.PositiveBigIntegerField(help_text='Bytes')),
                ('count', models.PositiveIntegerField(help_text='Certificates in it')),
                ('export', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='training.certificateexport')),
            ],
            options={
                'ordering': ['export', 'number'],
                'constraints': [models.UniqueConstraint(fields=('export', 'number'), name='training_exportpart_number_once'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='training_exportpart_counts_from_one'), models.CheckConstraint(condition=models.Q(models.Q(('file', ''), _negated=True), models.Q(('sha256', ''), _negated=True)), name='training_exportpart_is_there')],
            },
        ),
        migrations.CreateModel(
            name='FreshCard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='Of the question', max_length=120)),
                ('module', models.SlugField(help_text='Of the module, through all editions', max_length=80)),
                ('right_in_a_row', models.PositiveSmallIntegerField(default=0)),
                ('due_on', models.DateField(blank=True, help_text='Not asked before this day. Empty: retired', null=True)),
                ('bank', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fresh_cards', to='quizzes.bank')),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fresh_cards', to='training.course')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fresh_cards', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'bank', 'slug'), name='training_fresh_card_once'), models.CheckConstraint(condition=models.Q(models.Q(('due_on__isnull', True), ('right_in_a_row', 2)), models.Q(('due_on__isnull', False), ('right_in_a_row__lt', 2)), _connector='OR'), name='training_fresh_card_retired_when_right_twice')],
            },
        ),
        migrations.CreateModel(
            name='FreshAsk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('week', models.DateField(help_text='Its Monday, where the person works')),
                ('place', models.PositiveSmallIntegerField(help_text='1 or 2')),
                ('order', models.JSONField()),
                ('tokens', models.JSONField()),
                ('asked_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(blank=True, help_text='Empty: not answered', null=True)),
                ('chosen', models.CharField(blank=True, help_text='Id of the option. Empty: not answered', max_length=40)),
                ('is_right', models.BooleanField(blank=True, help_text='Empty: not answered', null=True)),
                ('sure', models.PositiveSmallIntegerField(blank=True, choices=[(1, 'I am guessing'), (2, 'Fairly sure'), (3, 'Certain')], help_text='Empty: not told', null=True)),
                ('language', models.CharField(blank=True, help_text='Of the page when it was answered', max_length=10)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fresh_asks', to=settings.AUTH_USER_MODEL)),
                ('question', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='fresh_asks', to='quizzes.question')),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='asks', to='training.freshcard')),
            ],
            options={
                'ordering': ['week', 'place'],
                'permissions': [('view_beliefs', 'Can see which wrong answers people are certain of')],
                'indexes': [models.Index(condition=models.Q(('sure__isnull', False)), fields=['question', 'answered_at'], name='training_fresh_how_sure'), models.Index(condition=models.Q(('is_right', False), ('sure', 3)), fields=['answered_at'], name='training_fresh_firm_wrong')],
                'constraints': [models.UniqueConstraint(fields=('employee', 'week', 'place'), name='training_fresh_ask_place_once'), models.UniqueConstraint(fields=('card', 'week'), name='training_fresh_ask_once_a_week'), models.CheckConstraint(condition=models.Q(('place__gte', 1), ('place__lte', 2)), name='training_fresh_ask_at_most_two_a_week'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('chosen', ''), ('is_right', None), ('language', ''), ('sure', None)), models.Q(('answered_at__isnull', False), ('is_right__isnull', False), models.Q(('chosen', ''), _negated=True)), _connector='OR'), name='training_fresh_ask_graded_when_answered'), models.CheckConstraint(condition=models.Q(('sure', None), models.Q(('sure__gte', 1), ('sure__lte', 3)), _connector='OR'), name='training_fresh_ask_sure_in_three_grades')],
            },
        ),
        migrations.CreateModel(
            name='FreshMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(help_text='Its Monday, where the person works')),
                ('questions', models.PositiveSmallIntegerField(help_text='0: nothing to ask, no mail')),
                ('sent_at', models.DateTimeField(blank=True, help_text='Empty: no mail', null=True)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fresh_mails', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'week'), name='training_fresh_mail_once_a_week'), models.CheckConstraint(condition=models.Q(models.Q(('questions', 0), ('sent_at', None)), models.Q(('questions__gte', 1), ('sent_at__isnull', False)), _connector='OR'), name='training_fresh_mail_sent_when_there_is_something')],
            },
        ),
        migrations.CreateModel(
            name='MaterialChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateField(help_text='Counted from here')),
                ('declared_at', models.DateTimeField()),
                ('edition', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='material_change', to='training.edition')),
            ],
        ),
        migrations.CreateModel(
            name='Module',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80)),
                ('position', models.PositiveSmallIntegerField()),
                ('title', models.JSONField(help_text='Text per language')),
                ('summary', models.JSONField(help_text='Text per language')),
                ('objectives', models.JSONField(help_text='List of text per language')),
                ('given', models.JSONField(blank=True, default=dict, help_text='What the files say of each question: {slug: [fingerprint, version then]}')),
                ('edition', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='modules', to='training.edition')),
                ('quiz', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='modules', to='quizzes.quiz')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('edition', 'slug'), name='training_module_slug_once'), models.UniqueConstraint(fields=('edition', 'position'), name='training_module_position_once')],
            },
        ),
        migrations.CreateModel(
            name='Lesson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80)),
                ('position', models.PositiveSmallIntegerField()),
                ('minutes', models.PositiveSmallIntegerField()),
                ('title', models.JSONField(help_text='Text per language')),
                ('body', models.JSONField(help_text='Blocks per language, as training.blocks parses them')),
                ('kept', models.JSONField(blank=True, default=dict, help_text='{owner: text per language, reviewed, review_by: days}; empty: not told')),
                ('cites', models.JSONField(blank=True, default=list, help_text='Ids of the sources, in the order in which they come')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lessons', to='training.module')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('module', 'slug'), name='training_lesson_slug_once'), models.UniqueConstraint(fields=('module', 'position'), name='training_lesson_position_once')],
            },
        ),
        migrations.CreateModel(
            name='DeltaModule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delta', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='modules', to='training.delta')),
                ('quiz', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='delta_module', to='quizzes.quiz')),
                ('lessons', models.ManyToManyField(related_name='delta_modules', to='training.lesson')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='delta_modules', to='training.module')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('delta', 'module'), name='training_delta_module_once')],
            },
        ),
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('title', models.JSONField(help_text='Text per language')),
                ('text', models.JSONField(help_text='Plain text per language, paragraphs apart by an empty line')),
                ('fingerprint', models.CharField(max_length=64)),
                ('effective_from', models.DateField(help_text='To be signed from this day on')),
                ('published_at', models.DateTimeField()),
                ('published_by', models.CharField(help_text='uid, or system:<name>', max_length=64)),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='training.policy')),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('policy', 'number'), name='training_policy_version_once')],
            },
        ),
        migrations.CreateModel(
            name='Attestation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('period', models.CharField(blank=True, help_text='2026-Q3 of a quarterly statement; empty: once', max_length=7)),
                ('signed_at', models.DateTimeField()),
                ('proved_at', models.DateTimeField(help_text='When the person proved to be there again')),
                ('proved_how', models.CharField(choices=[('password', 'password'), ('mfa', 'second factor'), ('socialaccount', 'single sign-on')], max_length=20)),
                ('language', models.CharField(help_text='In which the text was read', max_length=10)),
                ('shown', models.JSONField(default=dict, help_text='What stood beside the text: gaps, own reports')),
                ('entry_seq', models.PositiveBigIntegerField(help_text='The ledger Entry that says so')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attestations', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attestations', to='training.policyversion')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'version', 'period'), name='training_attestation_once_a_period'), models.CheckConstraint(condition=models.Q(('signed_at__gte', models.F('proved_at'))), name='training_attestation_proved_before_signed')],
            },
        ),
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('audience', models.JSONField(blank=True, default=training.models.everybody, help_text='Tree, as training.audiences describes it')),
                ('due_kind', models.CharField(choices=[('days', 'so many days after joining or the start of the rule'), ('working_days', 'so many working days of the office after joining or the start of the rule'), ('date', 'on a date; who joins later has so many days')], default='days', max_length=16)),
                ('due_days', models.PositiveSmallIntegerField(help_text="Days from joining, or from the rule's start")),
                ('due_date', models.DateField(blank=True, help_text='Empty: due after so many days', null=True)),
                ('renewal_kind', models.CharField(choices=[('counted', 'so many months after each completion'), ('rolling', 'so many months on, and finishing early inside the window keeps the anniversary'), ('season', 'each year in a fixed season')], default='counted', max_length=16)),
                ('renewal_months', models.PositiveSmallIntegerField(blank=True, help_text='Empty: as the course says', null=True)),
                ('window_days', models.PositiveSmallIntegerField(default=30, help_text='A renewal opens so many days before')),
                ('season', models.JSONField(blank=True, help_text='[[month, day], [month, day]]; empty: no season', null=True)),
                ('grace_days', models.PositiveSmallIntegerField(default=0, help_text='Days after the due day before one is overdue')),
                ('starts_on', models.DateField(help_text='Who joined earlier counts from here')),
                ('is_active', models.BooleanField(default=True)),
                ('applied_on', models.DateField(blank=True, help_text='When everybody was last looked at; empty: never', null=True)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='training.course')),
            ],
            options={
                'permissions': [('manage_rules', 'Can change who owes what, import completions and try rules'), ('approve_exemptions', 'Can approve exemptions')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('due_kind', 'date'), _negated=True), ('due_date__isnull', False), _connector='OR'), name='training_rule_date_is_told'), models.CheckConstraint(condition=models.Q(models.Q(('renewal_kind', 'season'), _negated=True), ('season__isnull', False), _connector='OR'), name='training_rule_season_is_told')],
            },
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cycle', models.PositiveSmallIntegerField()),
                ('assigned_on', models.DateField()),
                ('due_on', models.DateField(help_text='On time until the end of this day, where the person works')),
                ('grace_days', models.PositiveSmallIntegerField(default=0, help_text='Days after it before one is overdue')),
                ('because', models.JSONField(blank=True, default=dict, help_text='By which facts it was made: see training.reasons')),
                ('ended_on', models.DateField(blank=True, help_text='Empty: open', null=True)),
                ('ended_why', models.CharField(blank=True, choices=[('completed', 'Completed'), ('left', 'Left the firm'), ('moved', 'No rule calls for it any more'), ('exempt', 'Exempt'), ('new_edition', 'A new edition asks more')], max_length=16)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to=settings.AUTH_USER_MODEL)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='training.course')),
                ('delta', models.ForeignKey(blank=True, help_text='What changed since an older edition is all that is asked. Empty: the whole course, or not begun', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='training.delta')),
                ('edition', models.ForeignKey(blank=True, help_text='Empty: not begun', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='training.edition')),
                ('rule', models.ForeignKey(blank=True, help_text='Empty: assigned by hand', null=True, on_delete=django.db.models.deletion.PROTECT, to='training.rule')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'course', 'cycle'), name='training_assignment_cycle_once'), models.CheckConstraint(condition=models.Q(('cycle__gte', 1)), name='training_assignment_cycle_counts_from_one'), models.CheckConstraint(condition=models.Q(('due_on__gte', models.F('assigned_on'))), name='training_assignment_due_after_assigned'), models.UniqueConstraint(condition=models.Q(('ended_on__isnull', True)), fields=('employee', 'course'), name='training_assignment_one_open_per_duty'), models.CheckConstraint(condition=models.Q(models.Q(('ended_on', None), ('ended_why', '')), models.Q(('ended_on__isnull', False), models.Q(('ended_why', ''), _negated=True)), _connector='OR'), name='training_assignment_ends_with_a_reason'), models.CheckConstraint(condition=models.Q(('delta', None), ('edition__isnull', False), _connector='OR'), name='training_assignment_delta_is_of_an_edition')],
            },
        ),
        migrations.CreateModel(
            name='Completion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('studied', 'Studied here'), ('imported', 'Imported')], default='studied', max_length=16)),
                ('origin_file', models.CharField(blank=True, help_text='SHA-256 of the file it was imported from', max_length=64)),
                ('completed_at', models.DateTimeField()),
                ('expires_on', models.DateField(help_text='The last day on which it counts')),
                ('percent', models.PositiveSmallIntegerField(help_text='Mean of the modules, rounded down')),
                ('study_seconds', models.PositiveIntegerField()),
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='completion', to='training.assignment')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='completions', to=settings.AUTH_USER_MODEL)),
                ('edition', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='completions', to='training.edition')),
            ],
            options={
                'indexes': [models.Index(fields=['employee', '-completed_at'], name='training_completion_of_person'), models.Index(fields=['completed_at'], name='training_completion_by_day')],
                'constraints': [models.CheckConstraint(condition=models.Q(('percent__lte', 100)), name='training_completion_percent_to_100'), models.CheckConstraint(condition=models.Q(models.Q(('origin', 'imported'), models.Q(('origin_file', ''), _negated=True)), models.Q(models.Q(('origin', 'imported'), _negated=True), ('origin_file', '')), _connector='OR'), name='training_completion_names_the_file_it_came_from')],
            },
        ),
        migrations.CreateModel(
            name='ModuleResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('percent', models.PositiveSmallIntegerField()),
                ('passed_at', models.DateTimeField()),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='module_results', to='training.assignment')),
                ('attempt', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='module_result', to='quizzes.attempt')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='results', to='training.module')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('assignment', 'module'), name='training_module_passed_once_a_cycle'), models.CheckConstraint(condition=models.Q(('percent__lte', 100)), name='training_module_percent_to_100')],
            },
        ),
        migrations.CreateModel(
            name='OneTry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('began_at', models.DateTimeField()),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='test_outs', to='training.assignment')),
                ('attempt', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='test_out', to='quizzes.attempt')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='test_outs', to='training.module')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('assignment', 'module'), name='training_test_out_once_a_cycle')],
            },
        ),
        migrations.CreateModel(
            name='Progress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opened_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(help_text='The last sign of reading')),
                ('seconds', models.PositiveIntegerField(default=0, help_text='Reading time, pauses left out')),
                ('place', models.PositiveSmallIntegerField(default=0, help_text='Block last in view, counted from 0')),
                ('answers', models.JSONField(blank=True, default=dict, help_text='{block name: what was chosen}')),
                ('finished_at', models.DateTimeField(blank=True, help_text='Empty: not finished', null=True)),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='progress', to='training.assignment')),
                ('lesson', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='progress', to='training.lesson')),
            ],
            options={
                'verbose_name_plural': 'progress',
                'constraints': [models.UniqueConstraint(fields=('assignment', 'lesson'), name='training_progress_once_per_lesson'), models.CheckConstraint(condition=models.Q(('finished_at', None), ('finished_at__gte', models.F('opened_at')), _connector='OR'), name='training_progress_finishes_after_opening')],
            },
        ),
        migrations.CreateModel(
            name='RuleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('terms', models.JSONField(help_text='Every field of the rule, as it was')),
                ('made_at', models.DateTimeField()),
                ('made_by', models.CharField(help_text='uid, or system:<name>', max_length=64)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='training.rule')),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('rule', 'number'), name='training_rule_version_once')],
            },
        ),
        migrations.CreateModel(
            name='Certificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('serial', models.CharField(max_length=32, unique=True)),
                ('facts', models.JSONField(help_text='What is printed: names, number, course, edition, score, dates')),
                ('evidence', models.JSONField(default=dict, help_text='What is attached besides: modules, marks, Entry, newest Seal')),
                ('issued_at', models.DateTimeField()),
                ('file', models.FileField(blank=True, help_text='Empty: not rendered yet', upload_to='certificates')),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('badge', models.TextField(blank=True, help_text='The same as an Open Badge, signed; empty: not made yet')),
                ('revoked_at', models.DateTimeField(blank=True, help_text='Empty: not revoked', null=True)),
                ('revoked_for', models.CharField(blank=True, choices=[('error', 'It was issued in error'), ('unfair', 'It was not earned fairly'), ('corrected', 'What it said was corrected'), ('recalled', 'A quiz question was called back'), ('withdrawn', 'The firm has withdrawn it')], help_text='For everybody to read', max_length=10)),
                ('revoked_why', models.CharField(blank=True, help_text='For the firm to read', max_length=500)),
                ('superseded_for', models.CharField(blank=True, choices=[('error', 'It was issued in error'), ('unfair', 'It was not earned fairly'), ('corrected', 'What it said was corrected'), ('recalled', 'A quiz question was called back'), ('withdrawn', 'The firm has withdrawn it')], help_text='For everybody to read', max_length=10)),
                ('superseded_by', models.OneToOneField(blank=True, help_text='Empty: the latest', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='supersedes', to='training.certificate')),
                ('completion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='training.completion')),
                ('signed_by', models.ForeignKey(blank=True, help_text='Empty: not signed yet, or drawn before certificates were signed', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='training.signingkey')),
            ],
            options={
                'permissions': [('export_certificates', "Can export everybody's certificates"), ('manage_certificates', "Can revoke and re-issue everybody's certificates"), ('view_course_drafts', 'Can read a course before it is published')],
                'indexes': [models.Index(fields=['-issued_at', '-id'], name='training_certificate_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('revoked_at', None), ('revoked_for', ''), ('revoked_why', '')), models.Q(('revoked_at__isnull', False), models.Q(('revoked_why', ''), _negated=True)), _connector='OR'), name='training_certificate_revoked_with_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('file', ''), ('sha256', ''), ('signed_by', None)), models.Q(models.Q(('file', ''), _negated=True), models.Q(('sha256', ''), _negated=True)), _connector='OR'), name='training_certificate_file_with_its_hash'), models.CheckConstraint(condition=models.Q(models.Q(('superseded_by', None), ('superseded_for', '')), models.Q(('superseded_by__isnull', False), models.Q(('superseded_by', models.F('id')), _negated=True)), _connector='OR'), name='training_certificate_does_not_replace_itself')],
            },
        ),
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('module', models.SlugField(help_text='Of the module, through all editions', max_length=80)),
                ('tag', models.SlugField(allow_unicode=True, blank=True, help_text='Empty: all of the bank', max_length=80)),
                ('questions', models.PositiveSmallIntegerField(help_text='How many each attempt asks of it. 0: as the spread will')),
                ('connected_at', models.DateTimeField()),
                ('bank', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to='quizzes.bank')),
                ('connected_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to=settings.AUTH_USER_MODEL)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to='training.course')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('course', 'module', 'bank', 'tag'), name='training_connection_once_a_module_and_tag'), models.CheckConstraint(condition=models.Q(('questions__lte', 100)), name='training_connection_asks_at_most_100')],
            },
        ),
    ]
