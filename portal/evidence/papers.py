"""What people were asked, word by word: the papers of their attempts and the questions on them, to be hashed anew."""

from collections.abc import Iterable, Iterator, Mapping

from quizzes.kinds import kind_of
from quizzes.models import Attempt, Question, Response
from quizzes.papers import told as in_language
from quizzes.publishing import LATER_FIELDS, QUESTION_FIELDS
from quizzes.starting import paper_of


def attempts_of(uids: Iterable[str], wanted: Iterable[str]) -> dict[str, Attempt]:
    """Return {attempt's uid: attempt} of those wanted, with their responses and questions read."""
    rows = Attempt.objects.filter(employee__uid__in=list(uids), uid__in=list(wanted))
    return {one.uid: one for one in rows.prefetch_related("responses__question")}


def responses_of(attempt: Attempt) -> list[Response]:
    return sorted(attempt.responses.all(), key=lambda one: one.position)


def paper(attempt: Attempt) -> dict:
    """Return what ``paper_sha256`` of the attempt is over."""
    return paper_of(attempt, responses_of(attempt))


def words_of(attempt: Attempt) -> dict[int, tuple[str, str]]:
    """Return {position: (what was asked, what was answered)} in words, in the language of the attempt."""

    def tell(text: Mapping[str, str]) -> str:
        return in_language(text, attempt.language)

    found = {}
    for one in responses_of(attempt):
        content = one.question.content
        lines = kind_of(content).told(content, one.order, one.answer, tell)
        answered = " | ".join(f"{line['shown']}: {line['answered']}" for line in lines if line["answered"])
        found[one.position] = (tell(one.question.stem), answered)
    return found


def questions(pks: Iterable[int]) -> Iterator[dict]:
    """Yield each question with all that its fingerprint is over, in the order of the fingerprints."""
    for one in Question.objects.filter(pk__in=list(pks)).order_by("fingerprint", "pk").iterator(chunk_size=500):
        content = {name: getattr(one, name) for name in QUESTION_FIELDS}
        more = {name: getattr(one, name) for name, usual in LATER_FIELDS.items() if getattr(one, name) != usual}
        yield {"question": str(one), "fingerprint": one.fingerprint, "content": content | more}
