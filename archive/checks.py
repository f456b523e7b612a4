"""What is wrong with a firm's own files, and with the keys that seal words, is said when the site starts."""

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks

from archive import policy, retention
from portal.firmfiles import FIRM, BrokenFile


@checks.register(FIRM)
def firms_policy_can_be_used(app_configs, **kwargs) -> list[checks.CheckMessage]:
    try:
        policy.current()
    except BrokenFile as error:
        return [checks.Error(str(error), hint="Mend the file that ARCHIVE_POLICY_FILE names.", id="archive.E001")]
    return []


@checks.register(FIRM)
def retention_schedules_can_be_used(app_configs, **kwargs) -> list[checks.CheckMessage]:
    hint = "Mend the file that ARCHIVE_RETENTION_FILE names; docs/keeping.md says what goes into it."
    try:
        retention.current()
    except retention.BadSchedules as error:
        return [checks.Error(f"{error.path}: {one}", hint=hint, id="archive.E002") for one in error.problems]
    return []


@checks.register(FIRM)
def text_keys_are_keys(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """Names a key by its place alone: what it says is secret even when it is wrong."""
    errors = []
    hint = "A key is 32 random bytes in URL-safe base64; docs/keeping.md says how to make one."
    for number, key in enumerate(settings.ARCHIVE_TEXT_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            errors.append(checks.Error(f"ARCHIVE_TEXT_KEYS: number {number} is no key.", hint=hint, id="archive.E003"))
    return errors
