from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("quizzes", "0003_fill_in_what_older_attempts_have_earned")]

    operations = [
        migrations.AddConstraint(
            model_name='response',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credit', None), ('is_right', None)), models.Q(('credit', 10000), ('credit__isnull', False), ('is_right', True), ('is_right__isnull', False)), models.Q(('credit__isnull', False), ('credit__lt', 10000), ('is_right', False), ('is_right__isnull', False)), _connector='OR'), name='quizzes_response_right_when_it_earns_all'),
        ),
    ]
