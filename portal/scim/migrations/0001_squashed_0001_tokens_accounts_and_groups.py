import django.db.models.deletion
import django.db.models.functions.text
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('scim', '0001_tokens_accounts_and_groups')]

    initial = True

    dependencies = [
        ('people', '0001_squashed_0005_a_longer_number_and_tags_of_the_directory'),
        ('people', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(help_text='Which directory uses it', max_length=60)),
                ('hint', models.CharField(help_text='How it begins, to tell it from others', max_length=8)),
                ('digest', models.CharField(help_text='SHA-256 of the token, hex', max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(help_text='NULL: it opens', null=True)),
                ('last_used_at', models.DateTimeField(help_text='NULL: never', null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-made_at', '-pk'],
                'permissions': [('manage_directory', 'Can let a directory bring people and groups')],
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user_name', models.CharField(max_length=255)),
                ('external_id', models.CharField(blank=True, db_index=True, max_length=255)),
                ('display_name', models.CharField(blank=True, max_length=255)),
                ('formatted', models.CharField(blank=True, max_length=255)),
                ('given_name', models.CharField(blank=True, max_length=255)),
                ('family_name', models.CharField(blank=True, max_length=255)),
                ('name_en', models.CharField(blank=True, help_text="The person's name that the four above made", max_length=120)),
                ('name_zh', models.CharField(blank=True, max_length=60)),
                ('email_type', models.CharField(blank=True, max_length=40)),
                ('email_primary', models.BooleanField(help_text='NULL: not told', null=True)),
                ('told_active', models.BooleanField(help_text='What it said last; NULL: nothing', null=True)),
                ('ended_at', models.DateTimeField(help_text='NULL: the directory has them', null=True)),
                ('employee', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='account', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('user_name'), condition=models.Q(('ended_at', None)), name='scim_account_user_name_is_one_persons')],
            },
        ),
        migrations.CreateModel(
            name='Group',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('display_name', models.CharField(max_length=255)),
                ('external_id', models.CharField(blank=True, db_index=True, max_length=255)),
                ('made_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(help_text='NULL: the directory has it; else its tag is borne by nobody', null=True)),
                ('tag', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='group', to='people.tag')),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('display_name'), name='scim_group_name_is_one_groups')],
            },
        ),
    ]
