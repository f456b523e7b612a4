"""What is wrong with a firm's own files is said when the site starts, not when the first message comes."""

from django.core import checks

from archive import policy
from portal.firmfiles import BrokenFile


@checks.register
def firms_policy_can_be_used(app_configs, **kwargs) -> list[checks.CheckMessage]:
    try:
        policy.current()
    except BrokenFile as error:
        return [checks.Error(str(error), hint="Mend the file that ARCHIVE_POLICY_FILE names.", id="archive.E001")]
    return []
