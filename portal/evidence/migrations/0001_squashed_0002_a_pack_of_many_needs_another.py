import django.db.models.deletion
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('evidence', '0001_packs_of_evidence'), ('evidence', '0002_a_pack_of_many_needs_another')]

    initial = True

    dependencies = [
        ('jobs', '0001_squashed_0003_a_job_can_be_stopped'),
        ('people', '0001_squashed_0005_a_longer_number_and_tags_of_the_directory'),
        ('people', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('scope', models.CharField(choices=[('person', 'one person'), ('department', 'a department and all below it'), ('firm', 'the whole firm')], max_length=10)),
                ('day', models.DateField(help_text='As at the end of this day, or of the moment of asking if it was that day')),
                ('upto', models.PositiveBigIntegerField(help_text='The last Entry that counts')),
                ('as_at', models.DateTimeField(help_text='The moment of which it speaks')),
                ('reason', models.CharField(max_length=500)),
                ('people', models.PositiveIntegerField(default=0, help_text='Of how many it speaks, counted when it was asked for')),
                ('needs_approval', models.BooleanField(default=False, help_text='Whether somebody else must approve it')),
                ('state', models.CharField(choices=[('asked', 'to be approved'), ('refused', 'refused'), ('making', 'being made'), ('ready', 'ready'), ('forgotten', 'file deleted')], max_length=10)),
                ('asked_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(help_text='NULL: nobody had to, or has', null=True)),
                ('decided_why', models.CharField(blank=True, max_length=500)),
                ('file', models.FileField(blank=True, help_text='Empty: not ready, or deleted', upload_to='packs')),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('size', models.PositiveBigIntegerField(default=0, help_text='Bytes')),
                ('figures', models.JSONField(blank=True, default=dict, help_text='{people, entries, rows, seal}: what is in it')),
                ('made_at', models.DateTimeField(help_text='NULL: not ready', null=True)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='packs', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(help_text='NULL: nobody had to, or has', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('department', models.ForeignKey(help_text='NULL: a person, or the firm', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.department')),
                ('job', models.OneToOneField(help_text='NULL: not begun', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='pack', to='jobs.job')),
                ('person', models.ForeignKey(help_text='NULL: more than one', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'permissions': [('make_packs', 'Can make evidence packs, and approve those of others')],
                'indexes': [models.Index(fields=['state', 'made_at'], name='evidence_pack_by_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('department', None), ('person__isnull', False), ('scope', 'person')), models.Q(('department__isnull', False), ('person', None), ('scope', 'department')), models.Q(('department', None), ('person', None), ('scope', 'firm')), _connector='OR'), name='evidence_pack_is_about_what_its_scope_says'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='evidence_pack_decided_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='evidence_pack_decided_by_and_at'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'firm'), _negated=True), ('needs_approval', True), _connector='OR'), name='evidence_pack_of_the_firm_needs_approval'), models.CheckConstraint(condition=models.Q(('needs_approval', False), ('state', 'asked'), ('decided_by__isnull', False), _connector='OR'), name='evidence_pack_that_needs_it_is_approved_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'ready'), models.Q(('file', ''), _negated=True)), models.Q(models.Q(('state', 'ready'), _negated=True), ('file', '')), _connector='OR'), name='evidence_pack_ready_has_its_file')],
            },
        ),
    ]
