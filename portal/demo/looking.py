"""How long the roof's look takes: when nothing has happened, and after an import that touches a thousand people."""

import json
import os
import tempfile
import time
from pathlib import Path

from django.utils import timezone

from archive import services as archive
from archive.models import Identity
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing import services
from portal.standing.models import Look, Standing

BY = "system:bench"
CLIENT = "wmBenchClientAAAAAAAAAAAAAAAAAAA"


def measure(people: int) -> dict:
    """Import a message of each of so many people, each of which opens a finding, and let the roof look.

    The firm was made in bulk, so the first look, not counted, brings it to what the rules say of so many of them.
    """
    touched = list(Employee.objects.filter(employee_no__isnull=False).order_by("-pk")[:people])
    Identity.objects.bulk_create(
        [
            Identity(
                channel="wecom", handle=one.wecom_userid, handle_folded=one.wecom_userid, employee=one, origin="hr"
            )
            for one in touched
        ],
        batch_size=500,
    )
    services.bring_up_to_date(employee_ids=[one.pk for one in touched], today=timezone.localdate())
    Look.objects.update_or_create(pk=1, defaults={"seq": ledger.head_seq()})
    services.catch_up()
    idle = _seconds(services.catch_up)
    path = Path(tempfile.mkstemp(suffix=".jsonl")[1])
    try:
        path.write_text("".join(_line(n, one.wecom_userid) for n, one in enumerate(touched, start=1)))
        imported = _seconds(
            lambda: archive.import_feed(source=archive.get_source(name="wecom", by=BY), path=path, by=BY)
        )
    finally:
        os.unlink(path)
    before = dict(Standing.objects.filter(employee__in=touched).values_list("employee", "entry_seq"))
    looked = _seconds(services.catch_up)
    after = dict(Standing.objects.filter(employee__in=touched).values_list("employee", "entry_seq"))
    changed = sum(after[pk] != before.get(pk) for pk in after)
    return {"idle_s": idle, "touched": people, "import_s": imported, "look_s": looked, "changed": changed}


def _seconds(work) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 2)


def _line(n: int, userid: str) -> str:
    at = int(time.time() * 1000) - 3_600_000
    message = {
        "msgid": f"{n}_bench_external", "action": "send", "from": userid, "tolist": [CLIENT],
        "roomid": "", "msgtime": at, "msgtype": "text", "text": {"content": "加我个人微信聊，价格好说"},
    }  # fmt: skip
    return (
        json.dumps({"seq": n, "publickey_ver": 1, "pulled_at": at + 5_000, "msg": message}, ensure_ascii=False) + "\n"
    )


def as_text(found: dict) -> str:
    return (
        f"a look when nothing has happened: {found['idle_s']} s; an import that touches {found['touched']:,} people: "
        f"{found['import_s']} s, the look after it {found['look_s']} s, {found['changed']:,} standings changed"
    )
