"""What must be right before the site runs: the firm's retention schedules, and the keys that seal words."""

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from archive import retention


@register()
def retention_schedules_can_be_used(app_configs, **kwargs) -> list[CheckMessage]:
    try:
        retention.current()
    except retention.BadSchedules as error:
        return [
            Error(
                f"{error.path}: {problem}",
                hint="Mend the file that ARCHIVE_RETENTION_FILE names; docs/keeping.md says what goes into it.",
                id="archive.E001",
            )
            for problem in error.problems
        ]
    return []


@register()
def text_keys_are_keys(app_configs, **kwargs) -> list[CheckMessage]:
    """Names a key by its place alone: what it says is secret even when it is wrong."""
    errors = []
    for number, key in enumerate(settings.ARCHIVE_TEXT_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            hint = "A key is 32 random bytes in URL-safe base64; docs/keeping.md says how to make one."
            errors.append(Error(f"ARCHIVE_TEXT_KEYS: number {number} is no key.", hint=hint, id="archive.E002"))
    return errors
