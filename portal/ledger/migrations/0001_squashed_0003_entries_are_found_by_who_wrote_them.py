import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('ledger', '0001_initial'), ('ledger', '0002_seal_the_log_and_keep_its_tree'), ('ledger', '0003_entries_are_found_by_who_wrote_them')]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('seq', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('verb', models.CharField(max_length=64)),
                ('actor', models.CharField(help_text='Employee.uid or system:<name>', max_length=64)),
                ('subject', models.CharField(help_text='Employee.uid or system:<name>', max_length=64)),
                ('commitment', models.BinaryField(max_length=32)),
                ('prev', models.BinaryField(max_length=32)),
                ('digest', models.BinaryField(max_length=32)),
                ('v', models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                'verbose_name_plural': 'entries',
                'ordering': ['seq'],
                'permissions': [('view_entries', 'Can read the evidence log')],
                'indexes': [models.Index(fields=['subject', 'seq'], name='ledger_entry_by_subject'), models.Index(fields=['verb', 'seq'], name='ledger_entry_by_verb'), models.Index(fields=['actor', 'seq'], name='ledger_entry_by_actor')],
                'constraints': [models.UniqueConstraint(fields=('prev',), name='ledger_entry_follows_one'), models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='ledger_entry_counts_from_one')],
            },
        ),
        migrations.CreateModel(
            name='Disposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveBigIntegerField(unique=True)),
                ('ordered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disposals', to='ledger.entry')),
            ],
        ),
        migrations.CreateModel(
            name='Head',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveBigIntegerField(default=0)),
                ('digest', models.BinaryField(max_length=32)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='ledger_head_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Key',
            fields=[
                ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('name', models.CharField(help_text="The log's origin, the same for all keys", max_length=200)),
                ('public', models.BinaryField(max_length=32)),
                ('since', models.DateTimeField()),
                ('begun_by', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.entry')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='ledger_key_counts_from_one'), models.UniqueConstraint(fields=('public',), name='ledger_key_begins_once')],
            },
        ),
        migrations.CreateModel(
            name='Node',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.PositiveSmallIntegerField()),
                ('index', models.PositiveBigIntegerField()),
                ('digest', models.BinaryField(max_length=32)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('level', 'index'), name='ledger_node_has_one_place')],
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('size', models.PositiveBigIntegerField(help_text='Entries 1 to this one are under the root')),
                ('root', models.BinaryField(max_length=32)),
                ('key_id', models.CharField(max_length=8)),
                ('note', models.TextField()),
                ('prev', models.BinaryField(max_length=32)),
                ('digest', models.BinaryField(help_text='SHA-256 of the note', max_length=32)),
                ('edge', models.BinaryField(help_text="Roots of the tree's full subtrees, left to right")),
            ],
            options={
                'ordering': ['number'],
                'indexes': [models.Index(fields=['size'], name='ledger_seal_by_size')],
                'constraints': [models.UniqueConstraint(fields=('prev',), name='ledger_seal_follows_one'), models.CheckConstraint(condition=models.Q(('number__gte', 1), ('size__gte', 1)), name='ledger_seal_counts_from_one')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(choices=[('folder', 'folder'), ('mail', 'mailbox'), ('s3', 'object lock storage'), ('timestamp', 'time stamp')], max_length=10)),
                ('due_at', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, help_text='Empty: nobody is at it', null=True)),
                ('lease_token', models.CharField(blank=True, max_length=32)),
                ('delivered_at', models.DateTimeField(blank=True, help_text='Empty: not delivered yet', null=True)),
                ('receipt', models.CharField(blank=True, help_text='Where it is now', max_length=500)),
                ('stamp', models.BinaryField(blank=True, help_text='RFC 3161 response; empty for other places', null=True)),
                ('error', models.CharField(blank=True, help_text='Of the last attempt', max_length=500)),
                ('seal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='ledger.seal')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(condition=models.Q(('delivered_at', None)), fields=['due_at'], name='ledger_delivery_by_due')],
                'constraints': [models.UniqueConstraint(fields=('seal', 'place'), name='ledger_delivery_once_per_seal_and_place')],
            },
        ),
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_full', models.BooleanField(help_text='From the first Entry on, not from a Seal that was verified before')),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('after', models.PositiveBigIntegerField(help_text='The last Entry before the first that was read')),
                ('upto', models.PositiveBigIntegerField(help_text='The last Entry that was read')),
                ('seals', models.PositiveBigIntegerField(help_text='Seals compared')),
                ('outside', models.PositiveBigIntegerField(help_text='Copies of Seals compared that had left the machine')),
                ('fault_seq', models.PositiveBigIntegerField(blank=True, help_text='The first bad Entry; empty: none', null=True)),
                ('fault_code', models.CharField(blank=True, max_length=20)),
                ('fault_detail', models.JSONField(blank=True, default=dict)),
                ('notes', models.JSONField(blank=True, default=list, help_text='What is odd and no tampering')),
            ],
            options={
                'indexes': [models.Index(fields=['ended_at'], name='ledger_verification_by_end')],
            },
        ),
        migrations.CreateModel(
            name='Body',
            fields=[
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='body', serialize=False, to='ledger.entry')),
                ('content', models.BinaryField(help_text='Canonical JSON, UTF-8')),
                ('salt', models.BinaryField(max_length=32)),
            ],
            options={
                'verbose_name_plural': 'bodies',
            },
        ),
    ]
