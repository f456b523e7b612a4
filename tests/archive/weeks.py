"""WeCom feeds of a week with everything in them, for tests of what is left when they are cut off or shuffled."""

import random

from tests.archive.conftest import CLIENT, ROOM, at, line


def a_busy_week(seed: int = 7, size: int = 60) -> list:
    """A feed with everything in it but conflicts, which depend on what comes first by their nature."""
    chance = random.Random(seed)
    talks = [("li.na", ("zhangwei",)), ("zhangwei", ("li.na",)), ("li.na", (CLIENT,)), (CLIENT, ("zhangwei",))]
    feed: list = []
    for seq in range(1, size + 1):
        if seq in (13, 14, 40):
            continue  # holes
        sender, to = chance.choice(talks)
        sent = at(chance.choice([12, 13, 14, 30]), chance.randrange(8, 20), seq % 60)
        words = chance.choice(["hello", "加我个人微信聊", "wxid_ab12cd34ef", "看完就删", "ok"])
        feed.append(line(seq, words, sender=sender, to=to, sent=sent, roomid=chance.choice(["", ROOM])))
    taken_back = [one for one in feed if one["msg"]["from"] == "li.na"][:3]
    for extra, original in enumerate(taken_back, start=size + 1):
        recall = {"action": "recall", "msgtype": "revoke", "revoke": {"pre_msgid": original["msg"]["msgid"]}}
        feed.append(line(extra, sent=original["msg"]["msgtime"] + 60_000, **recall))
    said = {"msgtype": "disagree", "disagree": {"userid": CLIENT, "disagree_time": at(13, 12)}}
    feed.append(line(size + 4, sender=CLIENT, to=("li.na",), sent=at(13, 12), **said))
    feed.append({**feed[0], "pulled_at": feed[0]["pulled_at"] + 5_000_000})
    feed.append({**feed[1], "pulled_at": feed[1]["pulled_at"] - 20_000})
    feed.append(b'{"seq": 40, "msg": {"msgid": "cut')
    return feed


def a_troubled_week(size: int = 40) -> list:
    """A busy week with trouble of every sort besides: conflicts, kinds, strangers and records that cannot be read."""
    feed = a_busy_week(size=size)
    head = [one for one in feed if isinstance(one, dict)]
    for n, one in enumerate(head[:6]):  # the same id with other content, and another id on the same number
        other = {**one["msg"], "text": {"content": f"no, {n}"}}
        feed.append({**one, "msg": other if n % 2 else {**one["msg"], "msgid": f"other-{n}"}})
    first = size + 10
    feed += [line(first + 2 * n, sender=f"stranger.{n}") for n in range(5)]  # each after a hole
    feed += [line(first + 20 + n, msgtype=f"kind_{n}") for n in range(4)]
    feed += [
        {"seq": first + 30 + n, "msgid": f"dark-{n}", "publickey_ver": n or None, "error": 10007} for n in range(4)
    ]
    feed.append(line(first + 40, "a\x00b", roomid="wr\x00"))
    feed.append(line(first + 41, "wxid_zz98yy76xx", sent=at(14, 12)))
    feed.append(line(first + 42, sent=at(14, 12, 3), action="recall", msgtype="revoke", revoke={"pre_msgid": "none"}))
    return feed
