"""The payload of a WeCom message of each kind, as the archive hands it over (field names are Tencent's)."""

import json
import random
import string
from collections.abc import Callable

from portal.demo import phrases

Chance = random.Random
LETTERS = string.ascii_letters + string.digits
FIRM = {"zh": "示例财富", "en": "Example Wealth"}
DOCS = "https://doc.weixin.qq.com/doc/"


def token(chance: Chance, length: int) -> str:
    return "".join(chance.choices(LETTERS, k=length))


def file_id(chance: Chance) -> str:
    return "CpQB" + token(chance, 60)


def md5(chance: Chance) -> str:
    return f"{chance.getrandbits(128):032x}"


def text(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "text", {"text": {"content": words}}


def reply(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    """A reply carries what it quotes inside its own text."""
    mark, quoted = {
        "zh": ("这是一条引用/回复消息：", "请问今天可以确认吗？"),
        "en": ("This is a quote/reply:", "Can you confirm today?"),
    }[language]
    return "text", {"text": {"content": f"{mark}\n“{quoted}”\n------\n{words}"}}


def image(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    size = chance.randint(18_000, 900_000)
    return "image", {"image": {"md5sum": md5(chance), "filesize": size, "sdkfileid": file_id(chance)}}


def voice(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    seconds = chance.randint(3, 55)
    fields = {"md5sum": md5(chance), "voice_size": seconds * 880, "play_length": seconds, "sdkfileid": file_id(chance)}
    return "voice", {"voice": fields}


def video(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    seconds = chance.randint(5, 90)
    fields = {"md5sum": md5(chance), "filesize": seconds * 160_000, "play_length": seconds}
    return "video", {"video": {**fields, "sdkfileid": file_id(chance)}}


def sticker(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    fields = {"type": chance.choice([1, 2]), "width": 240, "height": 240, "imagesize": chance.randint(9_000, 90_000)}
    return "emotion", {"emotion": {**fields, "md5sum": md5(chance), "sdkfileid": file_id(chance)}}


def file(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    ending = chance.choice(["pdf", "pdf", "pdf", "xlsx", "docx"])
    fields = {"filename": f"{words}.{ending}", "fileext": ending, "filesize": chance.randint(20_000, 4_000_000)}
    return "file", {"file": {"md5sum": md5(chance), **fields, "sdkfileid": file_id(chance)}}


def link(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    page = f"https://research.example.com/{chance.randint(100, 999)}"
    return "link", {"link": {"title": words, "description": words, "link_url": page, "image_url": f"{page}.png"}}


def document(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "docmsg", {"doc": {"title": words, "doc_creator": "", "link_url": f"{DOCS}{token(chance, 16)}"}}


def meeting(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    fields = {"topic": words, "starttime": 0, "endtime": 0, "address": "", "remarks": "", "meetingtype": 101}
    return "meeting", {"meeting": {**fields, "meetingid": 2**63 + chance.getrandbits(62)}}


def gift(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    wish = {"zh": "恭喜发财", "en": "Well done"}[language]
    return "redpacket", {"redpacket": {"type": 2, "wish": wish, "totalcnt": 8, "totalamount": 8800}}


def app(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    fields = {"title": words, "description": words, "username": "gh_example@app", "displayname": FIRM[language]}
    return "weapp", {"weapp": fields}


def place(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    at = {"longitude": 121.5, "latitude": 31.2, "address": words, "title": words, "zoom": 16}
    return "location", {"location": at}


def call(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "voiptext", {"info": {"callduration": chance.randint(20, 1800), "invitetype": 2}}


def mixed(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    picture = {"md5sum": md5(chance), "filesize": chance.randint(9_000, 90_000), "sdkfileid": file_id(chance)}
    half = len(words) // 2
    parts = [
        ("text", {"content": words[:half]}),
        ("image", picture),
        ("text", {"content": words[half:]}),
    ]
    return "mixed", {"mixed": {"item": [{"type": kind, "content": _inside(part)} for kind, part in parts]}}


def record(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    title = {"zh": "聊天记录", "en": "Chat history"}[language]
    said = [line.text for line in phrases.conversation(chance, "internal", language) if line.kind == "text"]
    items = [
        {"type": "ChatRecordText", "msgtime": 0, "content": _inside({"content": text}), "from_chatroom": True}
        for text in said
    ]
    return "chatrecord", {"chatrecord": {"title": title, "item": items}}


def todo(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "todo", {"todo": {"title": FIRM[language], "content": words}}


def vote(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    fields = {"votetitle": words, "voteitem": ["A", "B"], "votetype": 101, "voteid": token(chance, 12)}
    return "vote", fields if chance.random() < 0.5 else {"vote": fields}


def calendar(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    fields = {"title": words, "creatorname": FIRM[language], "attendeename": [], "starttime": 0, "endtime": 0}
    return "calendar", {"calendar": {**fields, "place": "18F", "remarks": ""}}


def drive_file(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "qydiskfile", {"info": {"filename": f"{words}.xlsx"}}


def note(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "note", {"info": {"items": [{"msg_type": "text", "content": _inside({"content": words})}]}}


def channel_post(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "sphfeed", {"sphfeed": {"feed_type": 4, "sph_name": FIRM[language], "feed_desc": words}}


def news(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    page = f"https://research.example.com/{chance.randint(100, 999)}"
    return "news", {"info": {"item": [{"title": words, "description": words, "url": page, "picurl": f"{page}.png"}]}}


def markdown(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    return "markdown", {"info": {"content": f"**{words}**"}}


def unheard_of(chance: Chance, words: str, language: str) -> tuple[str, dict]:
    """New kinds appear without notice."""
    return "ai_summary_card", {"ai_summary_card": {"title": words, "points": 3}}


def _inside(part: dict) -> str:
    return json.dumps(part, ensure_ascii=False)


Maker = Callable[[Chance, str, str], tuple[str, dict]]

# What phrases.yaml calls them.
SAID: dict[str, Maker] = {
    "text": text,
    "image": image,
    "voice": voice,
    "video": video,
    "sticker": sticker,
    "file": file,
    "link": link,
    "doc": document,
    "meeting": meeting,
    "gift": gift,
    "app": app,
    "place": place,
    "call": call,
    "record": record,
}
# Thrown in now and then, so that every kind occurs.
RARE_INSIDE: tuple[Maker, ...] = (todo, vote, calendar, drive_file, note, news, record, mixed, image, voice, reply)
RARE_WITH_CLIENT: tuple[Maker, ...] = (channel_post, drive_file, mixed, video, voice, reply, link)


def turned(userid: str) -> str:
    """Return the userid with the parts of its name the other way round."""
    return ".".join(reversed(userid.split(".")))
