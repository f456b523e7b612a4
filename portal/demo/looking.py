"""How long the roof's look takes: when nothing has happened, and after imports that touch a few or many people."""

import json
import os
import tempfile
import time
from pathlib import Path

from django.db.models import Max
from django.utils import timezone

from archive import services as archive
from archive.models import Identity, Message
from archive.services import bulk, records
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing import remedies, services
from portal.standing.models import Look, RemedyTask, Standing

BY = "system:bench"
CLIENT = "wmBenchClientAAAAAAAAAAAAAAAAAAA"


def measure(sizes: tuple[int, ...]) -> dict:
    """Settle everybody's standing, then let the roof look: when nothing has happened, and after imports that touch so
    many people each, with a message of each of them that opens a finding.

    The firm was made in bulk, and what its standings say is not what the rules say of it: settling makes it so.
    """
    everybody = list(Employee.objects.filter(employee_no__isnull=False).order_by("-pk"))
    bulk.insert(
        Identity,
        ("channel", "handle", "handle_folded", "employee", "valid_from", "valid_to", "origin"),
        [("wecom", one.wecom_userid, one.wecom_userid, one.pk, None, None, "hr") for one in everybody],
    )
    settled = _seconds(lambda: _settle([one.pk for one in everybody]))
    idle = _seconds(services.catch_up)
    imports, at = [], 0
    for size in sizes:
        imports.append(_import(everybody[at : at + size]))
        at += size
    return {"people": len(everybody), "settled_s": settled, "idle_s": idle, "imports": imports}


def _settle(ids: list[int]) -> None:
    for at in range(0, len(ids), services.BATCH):
        services.bring_up_to_date(employee_ids=ids[at : at + services.BATCH], today=timezone.localdate())
    records.recompute_due(by=BY)  # the months in which somebody's permission changed: nothing was captured in them
    Look.objects.update_or_create(pk=1, defaults={"seq": ledger.head_seq()})
    while remedies.catch_up():
        pass


def _import(touched: list[Employee]) -> dict:
    first = (Message.objects.aggregate(last=Max("seq"))["last"] or 0) + 1
    path = Path(tempfile.mkstemp(suffix=".jsonl")[1])
    try:
        path.write_text("".join(_line(n, one.wecom_userid) for n, one in enumerate(touched, start=first)))
        imported = _seconds(
            lambda: archive.import_feed(source=archive.get_source(name="wecom", by=BY), path=path, by=BY)
        )
    finally:
        os.unlink(path)
    before = dict(Standing.objects.filter(employee__in=touched).values_list("employee", "entry_seq"))
    tasks = RemedyTask.objects.count()
    looked = _seconds(services.catch_up)
    after = dict(Standing.objects.filter(employee__in=touched).values_list("employee", "entry_seq"))
    return {
        "touched": len(touched),
        "import_s": imported,
        "look_s": looked,
        "changed": sum(after[pk] != before.get(pk) for pk in after),
        "lessons": RemedyTask.objects.count() - tasks,
    }


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
    lines = [
        f"everybody's standing anew, {found['people']:,} people: {found['settled_s']} s; a look when nothing has "
        f"happened: {found['idle_s']} s"
    ]
    lines += [
        f"an import that touches {one['touched']:,} people: {one['import_s']} s; the look after it: {one['look_s']} s, "
        f"{one['changed']:,} standings changed, {one['lessons']:,} lessons assigned"
        for one in found["imports"]
    ]
    return "\n".join(lines)
