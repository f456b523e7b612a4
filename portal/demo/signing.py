"""The demo firm's policy and statement: published, and signed by nearly everybody, so that a few are missing."""

from django.db import transaction
from django.utils import timezone

from portal.people.models import Employee
from training import attesting

MISSING_ONE_IN = 17
POLICY = {
    "slug": "business-messaging",
    "title": {"en": "Business messaging policy", "zh-hans": "业务通讯政策"},
    "text": {
        "en": "Talk with clients goes over the firm's WeCom seat and nowhere else.\n\nWho is written to on a private "
        "account moves the talk to the firm's channel the same day, and tells of it in the portal.\n\nNobody asks "
        "anybody to delete a business message.",
        "zh-hans": "与客户的沟通只通过公司的企业微信存档席位进行。\n\n客户联系私人账号的，应于当日将沟通转至公司渠道，"
        "并在本系统中自行报告。\n\n任何人不得要求他人删除业务消息。",
    },
}
STATEMENT = {
    "slug": "quarterly-statement",
    "title": {"en": "Quarterly statement on messaging", "zh-hans": "季度通讯声明"},
    "text": {
        "en": "In this quarter I kept all business talk on the firm's channels, but for what I have told of in the "
        "portal. What the archive says beside this is right as far as I know.",
        "zh-hans": "本季度内，除已在本系统报告的情形外，本人的全部业务沟通均通过公司渠道进行。"
        "就本人所知，旁列的存档情况属实。",
    },
}


def publish(by: str) -> None:
    today = timezone.localdate()
    attesting.publish_policy(**POLICY, effective_from=today, by=by)
    attesting.publish_policy(**STATEMENT, effective_from=today, is_quarterly=True, by=by)


@transaction.atomic
def sign() -> int:
    """Let everybody on staff sign the policy but one in MISSING_ONE_IN. Return how many signed."""
    [version] = attesting.newest_versions(timezone.localdate())
    people = Employee.objects.on_staff().order_by("employee_no")
    signing = [one for n, one in enumerate(people) if n % MISSING_ONE_IN != MISSING_ONE_IN - 1]
    for employee in signing:
        proof = attesting.Proof(timezone.now(), "password")
        attesting.sign(employee=employee, version=version, proof=proof, language=employee.language or "en")
    return len(signing)
