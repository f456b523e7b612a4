import hashlib

from django.db import migrations
from django.db.models import F

from portal.ledger.rules import canonical

WORDS = ("kind", "stem", "options", "explanation")
BATCH = 500


def fill(apps, schema_editor):
    """Questions came with the files of a course: they are accepted. An answer earned all or nothing."""
    questions = apps.get_model("quizzes", "Question").objects
    batch = []
    for question in questions.filter(words="").iterator(chunk_size=BATCH):
        words = canonical({name: getattr(question, name) for name in WORDS})
        question.words = hashlib.sha256(words).hexdigest()
        question.state, question.reviewed_at = "accepted", question.created_at
        batch.append(question)
        if len(batch) == BATCH:
            questions.bulk_update(batch, ["words", "state", "reviewed_at"])
            batch = []
    questions.bulk_update(batch, ["words", "state", "reviewed_at"])
    responses = apps.get_model("quizzes", "Response").objects
    responses.filter(is_right=True, credit=None).update(credit=10_000)
    responses.filter(is_right=False, credit=None).update(credit=0)
    responses.filter(answered_at__isnull=False, saved_at=None).update(
        is_complete=True, revision=1, saved_at=F("answered_at")
    )


class Migration(migrations.Migration):

    dependencies = [("quizzes", "0002_every_kind_of_question_and_papers_that_freeze")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
