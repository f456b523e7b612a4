import django.db.models.deletion
import django.db.models.functions.text
import portal.people.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('people', '0001_initial'), ('people', '0002_leave'), ('people', '0003_tags_of_people'), ('people', '0004_names_are_found_without_case'), ('people', '0005_a_longer_number_and_tags_of_the_directory')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Office',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=80)),
                ('name_zh', models.CharField(blank=True, max_length=80)),
                ('time_zone', models.CharField(max_length=64)),
                ('jurisdiction', models.CharField(choices=[('CN', 'Mainland China'), ('HK', 'Hong Kong'), ('US', 'United States'), ('UK', 'United Kingdom'), ('EU', 'European Union'), ('SG', 'Singapore')], max_length=2)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Department',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True)),
                ('name_zh', models.CharField(blank=True, max_length=120)),
                ('parent', models.ForeignKey(blank=True, help_text='Empty: top level', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='people.department')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Employee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('uid', models.CharField(default=portal.people.models.opaque_id, editable=False, max_length=32, unique=True)),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('employee_no', models.CharField(blank=True, help_text="Empty: not on HR's list", max_length=64, null=True, unique=True)),
                ('wecom_userid', models.CharField(blank=True, help_text='As HR last told it', max_length=64)),
                ('name_en', models.CharField(max_length=120)),
                ('name_zh', models.CharField(blank=True, max_length=60)),
                ('title', models.CharField(blank=True, max_length=120)),
                ('title_zh', models.CharField(blank=True, max_length=60)),
                ('language', models.CharField(blank=True, help_text='Empty: as the browser asks', max_length=10)),
                ('joined_on', models.DateField(blank=True, help_text="Empty: before the portal's first day", null=True)),
                ('left_on', models.DateField(blank=True, help_text='Empty: still here', null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('is_staff', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='direct_reports', to=settings.AUTH_USER_MODEL)),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('department', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='employees', to='people.department')),
                ('office', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='employees', to='people.office')),
            ],
            options={
                'permissions': [('view_everyone', 'Can see every person')],
                'indexes': [models.Index(fields=['name_en', 'id'], name='people_employee_by_name'), models.Index(django.db.models.functions.text.Lower('name_en'), name='people_employee_by_lower_name')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='people_employee_email_is_one_persons'), models.UniqueConstraint(django.db.models.functions.text.Lower('wecom_userid'), condition=models.Q(('wecom_userid', ''), _negated=True), name='people_employee_userid_is_one_persons'), models.CheckConstraint(condition=models.Q(('left_on__isnull', True), ('joined_on__isnull', True), ('left_on__gte', models.F('joined_on')), _connector='OR'), name='people_employee_leaves_after_joining'), models.CheckConstraint(condition=models.Q(('manager__isnull', True), models.Q(('manager', models.F('id')), _negated=True), _connector='OR'), name='people_employee_is_not_own_manager')],
            },
        ),
        migrations.CreateModel(
            name='ReportingLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('depth', models.PositiveSmallIntegerField(help_text='1: reports directly')),
                ('manager', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines_down', to=settings.AUTH_USER_MODEL)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines_up', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('manager', 'report'), name='people_line_once_per_pair'), models.CheckConstraint(condition=models.Q(('depth__gte', 1)), name='people_line_depth_counts_from_one')],
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=60)),
                ('name_zh', models.CharField(blank=True, max_length=60)),
                ('of_directory', models.BooleanField(default=False, help_text="A group of the directory says who bears it, not HR's list")),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='EmployeeTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tag_links', to=settings.AUTH_USER_MODEL)),
                ('tag', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='people_links', to='people.tag')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'tag'), name='people_tag_once_per_person')],
            },
        ),
        migrations.CreateModel(
            name='Leave',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_on', models.DateField()),
                ('last_on', models.DateField(help_text='The last day away')),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='leaves', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'first_on'), name='people_leave_begins_once'), models.CheckConstraint(condition=models.Q(('last_on__gte', models.F('first_on'))), name='people_leave_ends_after_it_begins')],
            },
        ),
        migrations.AddField(
            model_name='Tag',
            name='people',
            field=models.ManyToManyField(related_name='tags', through='people.EmployeeTag', to=settings.AUTH_USER_MODEL),
        ),
    ]
