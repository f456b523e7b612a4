import django.db.models.deletion
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('quizzes', '0001_initial'), ('quizzes', '0002_every_kind_of_question_and_papers_that_freeze'), ('quizzes', '0003_fill_in_what_older_attempts_have_earned'), ('quizzes', '0004_an_answer_is_right_when_it_earns_everything'), ('quizzes', '0005_what_answers_have_shown'), ('quizzes', '0006_faulty_questions_are_called_back'), ('quizzes', '0007_questions_are_read_by_a_second_person'), ('quizzes', '0008_signs_that_a_reviewer_looks_at'), ('quizzes', '0009_a_blueprint_may_name_a_bank'), ('quizzes', '0010_files_are_looked_at_before_they_come_in'), ('quizzes', '0011_a_second_person_settles_a_recall')]

    initial = True

    dependencies = [
        ('jobs', '0001_squashed_0003_a_job_can_be_stopped'),
        ('people', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Bank',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=160, unique=True)),
                ('title', models.JSONField(help_text="Text per language: {'en': …, 'zh-hans': …}")),
            ],
        ),
        migrations.CreateModel(
            name='ItemFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', models.CharField(help_text='Question.words', max_length=64, unique=True)),
                ('n', models.PositiveIntegerField(help_text='Answers that were counted')),
                ('figures', models.JSONField()),
                ('urgency', models.PositiveSmallIntegerField(help_text='Of the first advice: 3 look at it first, 0 nothing to do')),
                ('computed_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'item figures',
            },
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=120)),
                ('version', models.PositiveIntegerField()),
                ('fingerprint', models.CharField(help_text='SHA-256 of all that is asked, canonical', max_length=64)),
                ('words', models.CharField(db_index=True, help_text='The same without tags, difficulty and citations', max_length=64)),
                ('kind', models.CharField(choices=[('single', 'one answer'), ('multiple', 'all that apply'), ('truefalse', 'true or false'), ('matching', 'matching'), ('ordering', 'putting in order'), ('numeric', 'a number'), ('text', 'short text'), ('chat', 'marking a chat'), ('scenario', 'scenario')], max_length=12)),
                ('tags', models.JSONField(help_text='List; the first is what the draw counts')),
                ('difficulty', models.PositiveSmallIntegerField()),
                ('cites', models.JSONField(help_text='List of source ids')),
                ('stem', models.JSONField(help_text='Text per language')),
                ('options', models.JSONField(help_text='List of {id, right, text per language, why per language}; see quizzes/kinds')),
                ('detail', models.JSONField(blank=True, default=dict, help_text='What only this kind has; see quizzes/kinds')),
                ('explanation', models.JSONField(help_text='Text per language')),
                ('points', models.PositiveSmallIntegerField(default=1)),
                ('must_pass', models.BooleanField(default=False, help_text='Whoever has it wrong does not pass')),
                ('shuffle', models.BooleanField(default=True, help_text='Options may stand in any order')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('proposed', 'to be reviewed'), ('returned', 'returned'), ('accepted', 'accepted')], default='draft', max_length=8)),
                ('reviewed_at', models.DateTimeField(blank=True, help_text='Empty: not yet', null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, help_text='Empty: not withdrawn', null=True)),
                ('withdrawn_why', models.CharField(blank=True, max_length=500)),
                ('bank', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='quizzes.bank')),
                ('reviewed_by', models.ForeignKey(blank=True, help_text='Empty: not yet, or with the files of a course', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='questions_reviewed', to=settings.AUTH_USER_MODEL)),
                ('withdrawn_by', models.ForeignKey(blank=True, help_text='Empty: not withdrawn', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='questions_withdrawn', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(blank=True, help_text='Empty: it came with the files of a course', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='questions_written', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bank', 'slug', 'version'), name='quizzes_question_version_once'), models.CheckConstraint(condition=models.Q(('difficulty__gte', 1), ('difficulty__lte', 3)), name='quizzes_question_difficulty_is_1_to_3'), models.CheckConstraint(condition=models.Q(('points__gte', 1), ('points__lte', 100)), name='quizzes_question_points_are_1_to_100'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), models.Q(('reviewed_at__isnull', False), models.Q(('written_by', None), ('reviewed_by__isnull', False), _connector='OR')), _connector='OR'), name='quizzes_question_accepted_after_review'), models.CheckConstraint(condition=models.Q(('written_by', None), ('reviewed_by', None), models.Q(('written_by', models.F('reviewed_by')), _negated=True), _connector='OR'), name='quizzes_question_reviewed_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at', None), ('withdrawn_by', None), ('withdrawn_why', '')), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawn_why', ''), _negated=True)), _connector='OR'), name='quizzes_question_withdrawn_with_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='QuestionStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deed', models.CharField(choices=[('saved', 'saved'), ('proposed', 'proposed'), ('returned', 'returned'), ('accepted', 'accepted')], max_length=8)),
                ('at', models.DateTimeField()),
                ('text', models.CharField(blank=True, help_text='What is to be mended, or was good', max_length=1000)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='question_steps', to=settings.AUTH_USER_MODEL)),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='quizzes.question')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Quiz',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=160, unique=True)),
                ('title', models.JSONField(help_text='Text per language')),
                ('draw', models.PositiveSmallIntegerField(help_text='Questions in one attempt')),
                ('blueprint', models.JSONField(blank=True, default=list, help_text='List of quizzes.drawing.Cell, as {questions, tag, bank, …}; the rest is spread evenly')),
                ('pass_percent', models.PositiveSmallIntegerField()),
                ('tries_before_wait', models.PositiveSmallIntegerField(help_text='Failures in a row before a wait')),
                ('wait_minutes', models.PositiveIntegerField()),
                ('time_limit_minutes', models.PositiveIntegerField(blank=True, help_text='Empty: no limit', null=True)),
                ('questions', models.ManyToManyField(related_name='quizzes', to='quizzes.question')),
            ],
            options={
                'verbose_name_plural': 'quizzes',
                'constraints': [models.CheckConstraint(condition=models.Q(('pass_percent__gte', 1), ('pass_percent__lte', 100)), name='quizzes_quiz_pass_mark_is_a_percent'), models.CheckConstraint(condition=models.Q(('draw__gte', 1)), name='quizzes_quiz_draws_something'), models.CheckConstraint(condition=models.Q(('tries_before_wait__gte', 1)), name='quizzes_quiz_allows_a_first_try'), models.CheckConstraint(condition=models.Q(('time_limit_minutes', None), ('time_limit_minutes__gte', 1), _connector='OR'), name='quizzes_quiz_time_limit_leaves_time')],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('number', models.PositiveIntegerField(help_text="1 for a person's first try at this quiz")),
                ('seed', models.CharField(help_text='Draws the same questions in the same order again', max_length=64)),
                ('language', models.CharField(help_text='Of the page when it was begun', max_length=10)),
                ('languages', models.JSONField(blank=True, default=list, help_text='In which every question can be told. Empty: begun before this was kept')),
                ('paper_sha256', models.CharField(blank=True, help_text='Of all that was frozen, see starting.paper_sha256. Empty: begun before', max_length=64)),
                ('pass_percent', models.PositiveSmallIntegerField(help_text='The mark when it was begun')),
                ('extra_percent', models.PositiveSmallIntegerField(default=0, help_text='Time added to the limit, for this person')),
                ('started_at', models.DateTimeField()),
                ('closes_at', models.DateTimeField(blank=True, help_text='Empty: no time limit', null=True)),
                ('submitted_at', models.DateTimeField(blank=True, help_text='Empty: still open', null=True)),
                ('timed_out', models.BooleanField(default=False, help_text='It ended because its time was up')),
                ('right', models.PositiveSmallIntegerField(blank=True, help_text='Empty: not graded', null=True)),
                ('percent', models.PositiveSmallIntegerField(blank=True, help_text='Empty: not graded', null=True)),
                ('passed', models.BooleanField(blank=True, help_text='Empty: not graded', null=True)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to=settings.AUTH_USER_MODEL)),
                ('quiz', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='quizzes.quiz')),
            ],
            options={
                'permissions': [('review_attempts', 'Can look at what others were asked and answered')],
                'indexes': [models.Index(fields=['employee', 'quiz', 'submitted_at'], name='quizzes_attempt_of_person'), models.Index(condition=models.Q(('closes_at__isnull', False), ('submitted_at__isnull', True)), fields=['closes_at'], name='quizzes_attempt_running_out')],
                'constraints': [models.UniqueConstraint(fields=('quiz', 'employee', 'number'), name='quizzes_attempt_number_once'), models.UniqueConstraint(condition=models.Q(('submitted_at__isnull', True)), fields=('quiz', 'employee'), name='quizzes_attempt_one_open_per_person'), models.CheckConstraint(condition=models.Q(models.Q(('passed', None), ('percent', None), ('right', None), ('submitted_at', None)), models.Q(('passed__isnull', False), ('percent__isnull', False), ('right__isnull', False), ('submitted_at__isnull', False)), _connector='OR'), name='quizzes_attempt_graded_when_submitted'), models.CheckConstraint(condition=models.Q(('percent', None), ('percent__lte', 100), _connector='OR'), name='quizzes_attempt_percent_to_100'), models.CheckConstraint(condition=models.Q(('submitted_at', None), ('submitted_at__gte', models.F('started_at')), _connector='OR'), name='quizzes_attempt_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('closes_at', None), ('closes_at__gt', models.F('started_at')), _connector='OR'), name='quizzes_attempt_closes_after_it_starts')],
            },
        ),
        migrations.CreateModel(
            name='QuizFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('people', models.PositiveIntegerField()),
                ('figures', models.JSONField(help_text='{reliability: [value, low, high] or None, passed, percent}')),
                ('computed_at', models.DateTimeField()),
                ('quiz', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='quizzes.quiz')),
            ],
            options={
                'verbose_name_plural': 'quiz figures',
            },
        ),
        migrations.CreateModel(
            name='Recall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('words', models.CharField(help_text='Question.words: of all versions called back', max_length=64, unique=True)),
                ('rule', models.CharField(choices=[('left-out', 'it does not count'), ('full', 'everybody gets its points')], max_length=8)),
                ('reason', models.CharField(max_length=500)),
                ('begun_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, help_text='Empty: nobody has been told yet', null=True)),
                ('sent_back_at', models.DateTimeField(blank=True, help_text='Empty: it waits for a decision, or is settled', null=True)),
                ('sent_back_why', models.CharField(blank=True, max_length=500)),
                ('begun_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recalls_begun', to=settings.AUTH_USER_MODEL)),
                ('job', models.OneToOneField(help_text='Looks at the results again', on_delete=django.db.models.deletion.PROTECT, related_name='recall', to='jobs.job')),
                ('question', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='recall', to='quizzes.question')),
                ('sent_back_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recalls_sent_back', to=settings.AUTH_USER_MODEL)),
                ('settled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recalls_settled', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('recall_question', 'Can call back a question that was asked')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('settled_by', None)), models.Q(('settled_at__isnull', False), ('settled_by__isnull', False)), _connector='OR'), name='quizzes_recall_settled_by_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('sent_back_at', None), ('sent_back_by', None), ('sent_back_why', '')), models.Q(('sent_back_at__isnull', False), ('sent_back_by__isnull', False), ('settled_at', None), models.Q(('sent_back_why', ''), _negated=True)), _connector='OR'), name='quizzes_recall_sent_back_with_a_reason_and_not_settled')],
            },
        ),
        migrations.CreateModel(
            name='Regrade',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('percent_before', models.PositiveSmallIntegerField()),
                ('passed_before', models.BooleanField()),
                ('percent_after', models.PositiveSmallIntegerField()),
                ('passed_after', models.BooleanField()),
                ('outcome', models.CharField(blank=True, choices=[('', 'not settled yet'), ('none', 'nothing follows'), ('confirmed', 'the certificate is confirmed'), ('replaced', 'the certificate is replaced'), ('passed', 'the module is passed'), ('completed', 'the course is completed')], default='', max_length=9)),
                ('certificate', models.CharField(blank=True, help_text='The serial that stands now. Empty: none', max_length=32)),
                ('told_at', models.DateTimeField(blank=True, help_text='When the mail was handed over. Empty: none was due', null=True)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='regrades', to='quizzes.attempt')),
                ('recall', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='regrades', to='quizzes.recall')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recall', 'attempt'), name='quizzes_regrade_once_a_recall'), models.CheckConstraint(condition=models.Q(('percent_after__lte', 100), ('percent_before__lte', 100)), name='quizzes_regrade_percent_to_100')],
            },
        ),
        migrations.CreateModel(
            name='Response',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('order', models.JSONField()),
                ('tokens', models.JSONField()),
                ('points', models.PositiveSmallIntegerField(default=1)),
                ('must_pass', models.BooleanField(default=False)),
                ('answer', models.JSONField(blank=True, help_text='Empty: not answered', null=True)),
                ('answered_at', models.DateTimeField(blank=True, help_text='Empty: not answered', null=True)),
                ('is_complete', models.BooleanField(default=False, help_text='Nothing is left to do in it')),
                ('revision', models.PositiveIntegerField(default=0)),
                ('saved_at', models.DateTimeField(blank=True, help_text='Last change, clearing too. Empty: never touched', null=True)),
                ('spent_ms', models.PositiveIntegerField(blank=True, help_text='Milliseconds, see grading.spent. Empty: not known', null=True)),
                ('language', models.CharField(blank=True, help_text='Of the page at the last change', max_length=10)),
                ('device', models.CharField(blank=True, help_text='As Showing.device, at the last change', max_length=16)),
                ('is_counted', models.BooleanField(default=True, help_text='False: withdrawn before the attempt was graded')),
                ('is_right', models.BooleanField(blank=True, help_text='Empty: not graded', null=True)),
                ('credit', models.PositiveSmallIntegerField(blank=True, help_text='Ten-thousandths of the points, rounded down. Empty: not graded', null=True)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='quizzes.attempt')),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='quizzes.question')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('attempt', 'position'), name='quizzes_response_position_once'), models.UniqueConstraint(fields=('attempt', 'question'), name='quizzes_response_question_once'), models.CheckConstraint(condition=models.Q(models.Q(('answer__isnull', True), ('answered_at__isnull', True)), models.Q(('answer__isnull', False), ('answered_at__isnull', False)), _connector='OR'), name='quizzes_response_answered_when_chosen'), models.CheckConstraint(condition=models.Q(models.Q(('credit', None), ('is_right', None)), models.Q(('credit', 10000), ('credit__isnull', False), ('is_right', True), ('is_right__isnull', False)), models.Q(('credit__isnull', False), ('credit__lt', 10000), ('is_right', False), ('is_right__isnull', False)), _connector='OR'), name='quizzes_response_right_when_it_earns_all')],
            },
        ),
        migrations.CreateModel(
            name='Showing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=10)),
                ('device', models.CharField(blank=True, help_text='Empty: not known', max_length=16)),
                ('shown_at', models.DateTimeField()),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='showings', to='quizzes.attempt')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Signal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('fast', 'far too fast'), ('alike', 'rare wrong answers alike'), ('places', 'two devices in turn')], max_length=6)),
                ('figures', models.JSONField(help_text='{seconds, reading} or {shared, bits} or {turns}: see quizzes.signals')),
                ('found_at', models.DateTimeField()),
                ('verdict', models.CharField(blank=True, choices=[('', 'not looked at yet'), ('nothing', 'nothing in it'), ('talked', 'talked about with the person'), ('repeated', 'the quiz is to be repeated')], default='', max_length=8)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('judged_at', models.DateTimeField(blank=True, help_text='Empty: not looked at yet', null=True)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signals', to='quizzes.attempt')),
                ('judged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signals_judged', to=settings.AUTH_USER_MODEL)),
                ('other', models.ForeignKey(blank=True, help_text='Empty: of one alone', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signals_as_other', to='quizzes.attempt')),
            ],
            options={
                'indexes': [models.Index(fields=['verdict', '-found_at'], name='quizzes_signal_waiting')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('other', None)), fields=('kind', 'attempt'), name='quizzes_signal_once_an_attempt'), models.UniqueConstraint(condition=models.Q(('other__isnull', False)), fields=('kind', 'attempt', 'other'), name='quizzes_signal_once_a_pair'), models.CheckConstraint(condition=models.Q(models.Q(('judged_at', None), ('judged_by', None), ('verdict', '')), models.Q(models.Q(('verdict', ''), _negated=True), ('judged_at__isnull', False), ('judged_by__isnull', False)), _connector='OR'), name='quizzes_signal_judged_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('at', models.DateTimeField()),
                ('name', models.CharField(help_text='Of the file, as it was sent: a label, never a path', max_length=200)),
                ('data', models.BinaryField(max_length=8388608)),
                ('file_format', models.CharField(max_length=10)),
                ('bank', models.CharField(help_text='The name or slug of the bank it is for', max_length=160)),
                ('language', models.CharField(max_length=10)),
                ('by', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='question_upload', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ExtraTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('percent', models.PositiveSmallIntegerField(help_text='Added to the time limit: 25 makes 10 minutes 12½')),
                ('reason', models.CharField(max_length=300)),
                ('approved_at', models.DateTimeField()),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(blank=True, help_text='The last day of it. Empty: until it is ended', null=True)),
                ('approved_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='extra_time_approved', to=settings.AUTH_USER_MODEL)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='extra_time', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'extra time',
                'permissions': [('grant_extra_time', 'Can grant people more time in quizzes')],
                'constraints': [models.CheckConstraint(condition=models.Q(('percent__gte', 1), ('percent__lte', 300)), name='quizzes_extra_time_is_a_share'), models.CheckConstraint(condition=models.Q(('employee', models.F('approved_by')), _negated=True), name='quizzes_extra_time_is_not_granted_to_oneself'), models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='quizzes_extra_time_ends_after_it_starts')],
            },
        ),
        migrations.CreateModel(
            name='Printout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file', models.FileField(blank=True, help_text='Empty: not drawn yet', upload_to='papers')),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('made_at', models.DateTimeField(blank=True, help_text='Empty: not drawn yet', null=True)),
                ('attempt', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='printout', to='quizzes.attempt')),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='quiz_printout', to='jobs.job')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('file', ''), ('made_at', None), ('sha256', '')), models.Q(('made_at__isnull', False), models.Q(('file', ''), _negated=True), models.Q(('sha256', ''), _negated=True)), _connector='OR'), name='quizzes_printout_file_with_its_hash')],
            },
        ),
    ]
