"""The tokens of directories: made, shown once, ended, and known again by their digest."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import tokens
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.scim.models import Token

USED_EVERY = 60  # seconds: the last use is not written more often


class NoLabel(ValueError):
    """A token needs a label."""


@transaction.atomic
def make(*, label: str, by: Employee) -> str:
    """Make a token and return its secret, which is shown once. Raises NoLabel."""
    if not label.strip():
        raise NoLabel(_("Say which directory will use it."))
    fresh = tokens.make("ocd")
    told = {"label": label.strip()[:60], "hint": fresh.hint}
    Token.objects.create(**told, digest=fresh.digest, made_by=by, made_at=timezone.now())
    ledger.append(verb="scim.token_made", actor=by.uid, subject="system:scim", body=told)
    return fresh.secret


@transaction.atomic
def end(*, token: Token, by: Employee) -> bool:
    """End a token: it opens nothing from now on. Return False if it had been ended before."""
    ended = Token.objects.filter(pk=token.pk, ended_at=None).update(ended_at=timezone.now())
    if ended:
        body = {"label": token.label, "hint": token.hint}
        ledger.append(verb="scim.token_ended", actor=by.uid, subject="system:scim", body=body)
    return bool(ended)


def known(secret: str) -> Token | None:
    """Return the token that this secret is of, noting its use; None for any other, and for one that was ended.

    A token goes on when whoever made it has left: the directory must still be able to say who else leaves.
    """
    if not secret:
        return None
    token = Token.objects.filter(ended_at=None, digest=tokens.digest_of(secret)).first()
    now = timezone.now()
    if token and (token.last_used_at is None or (now - token.last_used_at).total_seconds() > USED_EVERY):
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
