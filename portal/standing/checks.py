"""What is wrong with the firm's rule on messaging is said when the site starts."""

from django.core import checks

from archive.models import Finding
from portal.firmfiles import FIRM, BrokenFile
from portal.standing import policy


@checks.register(FIRM)
def firms_rule_can_be_used(app_configs, **kwargs) -> list[checks.CheckMessage]:
    hint = "Mend the file that STANDING_POLICY_FILE names."
    try:
        terms = policy.current()
    except BrokenFile as error:
        return [checks.Error(str(error), hint=hint, id="standing.E001")]
    if unknown := sorted(terms.blocks.keys() - set(Finding.Kind.values)):
        return [checks.Error(f"blocks names no kind of finding: {', '.join(unknown)}.", hint=hint, id="standing.E002")]
    return []
