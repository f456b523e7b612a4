from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


class PasswordsOfFew(ModelBackend):
    """Stands before the others: where sign-on is the only way, passwords open to the emergency accounts alone.

    The same for everybody else, known or not and whatever their password, so it tells nothing. It knows people as
    Django's own does, for it may be the one whose name a session bears.
    """

    def authenticate(self, request: HttpRequest | None, **credentials) -> None:
        if not settings.SIGNON_ONLY or "password" not in credentials:
            return
        told = {str(credentials.get(name) or "").strip().lower() for name in ("email", "username")}
        if not told & {address.lower() for address in settings.SIGNON_BREAK_GLASS}:
            raise PermissionDenied
