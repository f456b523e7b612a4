"""Six months of the demo firm's archived messages, as the puller would have written them: WeCom JSON lines.

Pure: the same people, day and seed make the same bytes. One file a week, with the copies of the permit list that were
taken in it. The faults are in faults.py, who talks with whom in talks.py, what they say in phrases.yaml.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from archive import calendars
from portal.demo import conduct, faults, payloads, phrases
from portal.demo.people import OFFICES, SEED, Person
from portal.demo.talks import SILENT_SINCE, Client, Talk, World, ready_on, world

FIRST_SEQ = 418_001
LUNCH = time(12, 30)
NEW_KIND_SINCE = timedelta(days=50)
ALIAS_SINCE = timedelta(days=30)
COPY_DAY = 4  # Friday: a copy of the permit list speaks for three days more
COPY_WEEKS = 4  # a copy is taken so often, and holds since the one before


@dataclass(frozen=True)
class Week:
    """What one week left behind: the feed, complete at ``closes_at``, and every few weeks an Answer."""

    monday: date
    lines: list[bytes]
    closes_at: datetime
    answer: "Answer | None" = None

    @property
    def name(self) -> str:
        return f"wecom-{self.monday.isoformat()}.jsonl"


@dataclass(frozen=True)
class Answer:
    """What the permit and consent interfaces said at a moment; the permit list had been the same since a day."""

    data: dict
    asked_at: datetime
    since: date


def first_monday(today: date, weeks: int) -> date:
    """The feed's first day. Its last week holds yesterday."""
    yesterday = today - timedelta(days=1)
    return yesterday - timedelta(days=yesterday.weekday() + 7 * (weeks - 1))


def weeks_of(
    people: Sequence[Person],
    *,
    today: date,
    weeks: int,
    trained_on: Mapping[str, date | None],
    lapses: Mapping[str, tuple[date, date]],
    zone: ZoneInfo,
    seed: int = SEED,
) -> Iterator[Week]:
    """Yield the feed week by week. ``trained_on``: by number, when the person first completed the course;
    ``lapses``: from when to when their training had lapsed.
    """
    start, chance = first_monday(today, weeks), random.Random(f"feed/{seed}")  # noqa: S311 - invented, not secret
    given = conduct.conducts(people, today)
    firm = world(people, given, start=start, today=today, chance=chance)
    writer = _Writer(firm, given, trained_on, lapses, start, today, random.Random(f"talk/{seed}"))  # noqa: S311 - as above
    mischief = faults.Faults(weeks=weeks, first_seq=FIRST_SEQ, chance=random.Random(f"fault/{seed}"))  # noqa: S311
    for n in range(weeks):
        monday = start + timedelta(days=7 * n)
        end = min(monday + timedelta(days=7), today)
        closes_at = datetime.combine(end - timedelta(days=1), time(23, 40), zone)
        latest = int((closes_at - timedelta(minutes=10)).timestamp() * 1000) if end == today else None
        messages = sorted((_sent_at(m), m["msgid"], m) for m in writer.week(monday, end))
        messages = [m for at, _, m in messages if latest is None or at < latest]  # nobody writes after tonight
        answer = None
        if n == 0 or (weeks - 1 - n) % COPY_WEEKS == 0:
            asked_on = min(monday + timedelta(days=COPY_DAY), end - timedelta(days=1))
            data = _answer(firm, asked_on, is_first=n == 0)
            since = max(start, monday - timedelta(days=7 * (COPY_WEEKS - 1)))
            answer = Answer(data, datetime.combine(asked_on, time(6, 0), zone), since)
        yield Week(monday, mischief.lines(n, messages), closes_at, answer)


def _sent_at(message: dict) -> int:
    return message.get("msgtime") or message["time"]


def _answer(firm: World, day: date, *, is_first: bool) -> dict:
    """What the permit list and, in the first week, the consent interfaces answered."""
    ids = [userid for userid in firm.seats if firm.has_seat(userid, day)]
    answer: dict = {"get_permit_user_list": {"errcode": 0, "errmsg": "ok", "ids": ids}}
    if not is_first:
        return answer
    before = int(datetime.combine(day - timedelta(days=40), time(10, 0), UTC).timestamp())
    singles, rooms = [], {}
    for talk in firm.talks:
        agreed = [
            {"status_change_time": before, "exteranalopenid": client.handle, "agree_status": "Agree"}
            for client in talk.clients
            if client.consent == "known"
        ]
        if talk.room and agreed:
            rooms[talk.room] = {"errcode": 0, "errmsg": "ok", "agreeinfo": agreed}
        else:
            singles += [{**row, "userid": talk.members[0].userid} for row in agreed]
    answer["check_single_agree"] = {"errcode": 0, "errmsg": "ok", "agreeinfo": singles}
    answer["check_room_agree"] = rooms
    return answer


def is_working_day(office: str, day: date) -> bool:
    return calendars.is_working_day(day, OFFICES[office][3])


class _Writer:
    """Writes the messages of one week after another."""

    def __init__(
        self,
        firm: World,
        given: Mapping[str, str],
        trained_on: Mapping[str, date | None],
        lapses: Mapping[str, tuple[date, date]],
        start: date,
        today: date,
        chance: random.Random,
    ) -> None:
        self.lapses = lapses
        self.firm, self.given, self.start, self.today, self.chance = firm, given, start, today, chance
        self.slips: dict[date, list[tuple[Person, str]]] = {}
        for number, what in given.items():
            told = conduct.slips(what, trained_on=trained_on.get(number), start=start, today=today, chance=chance)
            for day, kind in told:
                self.slips.setdefault(day, []).append((firm.people[number], kind))
        self.greeted: set[Client] = set()
        self.refused: set[Client] = set()
        self.messages: list[dict] = []
        self.sent: set[str] = set()  # who has written something this week
        self.robot = f"wbDeMo{payloads.token(chance, 26)}"
        self.number = 7_000_000_000_000_000_000

    def week(self, monday: date, end: date) -> list[dict]:
        self.messages, self.sent = [], set()
        days = [monday + timedelta(days=n) for n in range((end - monday).days)]
        for talk in self.firm.talks:
            for day in days:
                self._perhaps(talk, day)
        for day in days:
            for person, kind in self.slips.get(day, ()):
                self._slip(person, kind, day)
        self._everybody_is_there(days)
        self._oddities(days)
        return self.messages

    # --- conversations -------------------------------------------------------------------------------------------
    def _perhaps(self, talk: Talk, day: date) -> None:
        if day < talk.since or (talk.until and day >= talk.until):
            return
        working = is_working_day(talk.members[0].office, day)
        if self.chance.random() < talk.weekly / 5 * (1 if working else 0.04):
            self._talk(talk, day)

    def _talk(self, talk: Talk, day: date) -> None:
        present = [p for p in talk.members if ready_on(p, self.start) <= day and not self._is_silent(p, day)]
        if talk.clients:
            present = [p for p in present if not self._holds_back(p, day)]
        refused = [c for c in talk.clients if c.refuses_on and c.refuses_on <= day]
        if not present or (len(present) < 2 and not talk.clients):
            return
        if refused:
            self._after_refusal(talk, refused[0], present[0], day)
            return
        speakers = self._speakers(talk, present)
        where = "client" if talk.clients else "internal"
        at = self._moment(present[0].office, day)
        for line in phrases.conversation(self.chance, where, talk.language):
            self._say(talk, speakers[line.speaker], payloads.SAID[line.kind], line.text, at)
            self._greet(talk, at)
            at += timedelta(seconds=self.chance.randint(15, 420))
        if self.chance.random() < 0.09:
            makers = payloads.RARE_WITH_CLIENT if talk.clients else payloads.RARE_INSIDE
            words = phrases.one(self.chance, "hello", talk.language)
            self._say(talk, speakers["E" if talk.clients else "A"], self.chance.choice(makers), words, at)

    def _speakers(self, talk: Talk, present: list[Person]) -> dict[str, str]:
        if talk.clients:
            return {"E": self.chance.choice(present).userid, "C": self.chance.choice(talk.clients).handle}
        first, second = self.chance.sample(present, 2)
        return {"A": first.userid, "B": second.userid}

    def _holds_back(self, person: Person, day: date) -> bool:
        """Who may not message clients mostly does not: a colleague takes over until the course is done."""
        first, last = self.lapses.get(person.number, (date.max, date.min))
        return first <= day <= last and self.chance.random() < 0.985

    def _is_silent(self, person: Person, day: date) -> bool:
        return self.given.get(person.number) == conduct.SILENT and day >= self.today - SILENT_SINCE

    def _moment(self, office: str, day: date) -> datetime:
        """A moment of the office's day, when most people write."""
        minute = int(self.chance.triangular(0, 9 * 60, 2 * 60))
        at = datetime.combine(day, time(8, 50), ZoneInfo(OFFICES[office][2])) + timedelta(minutes=minute)
        lunch = at.replace(hour=LUNCH.hour, minute=LUNCH.minute)
        if timedelta(0) <= at - lunch < timedelta(minutes=50):
            at += timedelta(minutes=50)
        return (at + timedelta(milliseconds=self.chance.randrange(60_000))).astimezone(UTC)

    # --- one message ---------------------------------------------------------------------------------------------
    def _say(self, talk: Talk, sender: str, maker: payloads.Maker, words: str, at: datetime) -> dict | None:
        """Write a message down, if anybody with a seat takes part in it. Nearly nobody takes one back."""
        everybody = self._everybody_in(talk, at.date())
        if not any(self.firm.has_seat(handle, at.date()) for handle in everybody):
            return None
        msgtype, payload = maker(self.chance, words, talk.language)
        if msgtype == "redpacket" and talk.clients:
            msgtype = "external_redpacket"
        message = self._message(sender, [h for h in everybody if h != sender], talk, at, msgtype, payload)
        is_own = not any(client.handle == sender for client in talk.clients)
        if is_own:
            self.sent.add(sender)
            if self.chance.random() < self._recall_share(sender, at.date()):
                self._take_back(talk, message, at)
        return message

    def _everybody_in(self, talk: Talk, day: date) -> list[str]:
        members = [p.userid for p in talk.members if p.joined_on <= day and p.userid]
        return members + [client.handle for client in talk.clients]

    def _message(
        self, sender: str, tolist: list[str], talk: Talk, at: datetime, msgtype: str, payload: dict, action="send"
    ) -> dict:
        self.number += self.chance.randint(1_000, 1_000_000)
        ms = int(at.timestamp() * 1000)
        if msgtype == "meeting":
            payload["meeting"] |= {"starttime": ms // 1000 + 3600, "endtime": ms // 1000 + 7200}
        elif msgtype == "docmsg":
            payload["doc"]["doc_creator"] = sender
        elif msgtype == "chatrecord":
            for item in payload["chatrecord"]["item"]:
                item["msgtime"] = ms // 1000 - 3600
        message = {
            "msgid": f"{self.number}_{ms}{'_external' if talk.clients else ''}",
            "action": action,
            "from": sender,
            "tolist": tolist,
            "roomid": talk.room,
            "msgtime": ms,
            "msgtype": msgtype,
            **payload,
        }
        self.messages.append(message)
        return message

    def _recall_share(self, sender: str, day: date) -> float:
        """One person takes a great deal back, in every other month; everybody else hardly anything."""
        number = next((n for n, what in self.given.items() if what == conduct.RECALLS), "")
        if number and self.firm.people[number].userid == sender and day.month % 2 == self.today.month % 2:
            return 0.3
        return 0.006

    def _take_back(self, talk: Talk, message: dict, at: datetime) -> None:
        later = at + timedelta(seconds=self.chance.randint(15, 110))
        payload = {"revoke": {"pre_msgid": message["msgid"]}}
        self._message(message["from"], message["tolist"], talk, later, "revoke", payload, action="recall")
        words = phrases.one(self.chance, "slip", talk.language)
        kind, told = payloads.text(self.chance, words, talk.language)
        self._message(message["from"], message["tolist"], talk, later + timedelta(seconds=30), kind, told)

    # --- consent -------------------------------------------------------------------------------------------------
    def _greet(self, talk: Talk, at: datetime) -> None:
        """A new client answers the archiving notice within minutes of the first words, or never."""
        for client in talk.clients:
            if client.consent == "told" and client not in self.greeted:
                self._answer(talk, client, "agree", at + timedelta(seconds=self.chance.randint(40, 600)))
            self.greeted.add(client)

    def _answer(self, talk: Talk, client: Client, word: str, at: datetime) -> None:
        told = {word: {"userid": client.handle, f"{word}_time": int(at.timestamp() * 1000)}}
        self._message(client.handle, [p.userid for p in talk.members], talk, at, word, told)

    def _after_refusal(self, talk: Talk, client: Client, person: Person, day: date) -> None:
        """The client has said no. Most people stop; some write on, once or twice."""
        at = self._moment(person.office, day)
        if client not in self.refused:
            self.refused.add(client)
            self._answer(talk, client, "disagree", at)
        elif self.given.get(person.number) == conduct.AFTER_REFUSAL and self.chance.random() < 0.7:
            words = phrases.one(self.chance, "after_refusal", talk.language)
            self._say(talk, person.userid, payloads.text, words, at)

    # --- what stands out -----------------------------------------------------------------------------------------
    def _slip(self, person: Person, kind: str, day: date) -> None:
        """Say what should not be said, to a client if there is one who is still talked to."""
        mine = [t for t in self.firm.talks if person in t.members and t.since <= day and t.kind != "team"]
        mine = [t for t in mine if not any(c.refuses_on and c.refuses_on <= day for c in t.clients)]
        mine = [t for t in mine if t.clients] or mine
        if mine:
            talk, at = self.chance.choice(mine), self._moment(person.office, day)
            maker = payloads.mixed if self.chance.random() < 0.2 else payloads.text
            self._say(talk, person.userid, maker, phrases.one(self.chance, kind, talk.language), at)
            self._greet(talk, at)

    def _everybody_is_there(self, days: list[date]) -> None:
        """Nobody with a seat is silent for a whole week, but for those whose silence is the story."""
        for talk in self.firm.talks:
            if talk.kind != "team":
                continue
            for person in talk.members:
                at_work = [d for d in days if is_working_day(person.office, d) and ready_on(person, self.start) <= d]
                if person.userid not in self.sent and at_work and not self._is_silent(person, at_work[-1]):
                    self._says_hello(talk, person.userid, payloads.text, self.chance.choice(at_work))

    def _oddities(self, days: list[date]) -> None:
        rooms = [talk for talk in self.firm.talks if talk.kind == "team"]
        self._robot_reminds(rooms[::4], days[0])
        self._somebody_switches(self.chance.choice(rooms), self.chance.choice(days))
        # Senders whom nobody knows: one who left, as long as the account was open, and a shared desk.
        for userid, until in {"ma.tao_2019": self.start + timedelta(days=60), "sh-desk-02": date.max}.items():
            if days[0] < until and self.chance.random() < 0.8:
                self._says_hello(self.chance.choice(rooms), userid, payloads.text, self.chance.choice(days))
        if days[0] >= self.today - ALIAS_SINCE:  # a colleague who changed the userid without telling HR
            talk, userid = next((t, p.userid) for t in rooms for p in t.members if "." in p.userid)
            self._says_hello(talk, payloads.turned(userid), payloads.text, days[0])
        if days[0] >= self.today - NEW_KIND_SINCE:
            talk = self.chance.choice(rooms)
            self._says_hello(talk, talk.members[0].userid, payloads.unheard_of, self.chance.choice(days))

    def _says_hello(self, talk: Talk, sender: str, maker: payloads.Maker, day: date) -> None:
        at = self._moment(talk.members[0].office, day)
        self._say(talk, sender, maker, phrases.one(self.chance, "hello", talk.language), at)

    def _robot_reminds(self, rooms: list[Talk], day: date) -> None:
        for talk in rooms:
            at = self._moment(talk.members[0].office, day)
            self._say(talk, self.robot, payloads.markdown, phrases.one(self.chance, "reminder", talk.language), at)

    def _somebody_switches(self, talk: Talk, day: date) -> None:
        """Switching to another corporation leaves a record that is no message."""
        ms = int(self._moment(talk.members[0].office, day).timestamp() * 1000)
        self.number += 77
        switch = {"msgid": f"{self.number}_{ms}", "action": "switch", "time": ms, "user": talk.members[0].userid}
        self.messages.append(switch)
