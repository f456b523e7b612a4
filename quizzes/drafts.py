"""A question as text, in the portal's own format, for what fields cannot hold and for who likes to type."""

from django.conf import settings
from django.utils.translation import gettext as _

from quizzes.editor import Draft
from quizzes.formats import own
from quizzes.formats.base import NotThisFormat, slug_of
from quizzes.models import Question
from quizzes.publishing import LATER_FIELDS, QUESTION_FIELDS

TEXT_MOST = 100_000  # characters of a question written as text


def fields_of(question: Question) -> dict:
    """Return all that is asked, as publishing.version_of takes it."""
    return {name: getattr(question, name) for name in (*QUESTION_FIELDS, *LATER_FIELDS)}


def text_of(question: Question) -> str:
    """Return a question as text."""
    return own.write([{"slug": question.slug} | fields_of(question)], "", "")[0].decode()


def read_text(text: str) -> Draft:
    """Read one question that was typed as text."""
    if len(text) > TEXT_MOST:
        return _refused(_("The text is longer than %(most)s characters.") % {"most": TEXT_MOST})
    try:
        items = list(own.read(text.encode(), settings.LANGUAGE_CODE, []))
    except NotThisFormat as error:
        return _refused(str(error))
    if len(items) != 1:
        return _refused(_("The text holds %(n)s questions; write one.") % {"n": len(items)})
    [item] = items
    if item.question is None:
        return _refused(*item.refused.split("; "), slug=item.name)
    return Draft(item.question, slug_of(item.name, item.question))


def _refused(*why: str, slug: str = "") -> Draft:
    return Draft(None, slug, {"": list(why)})
