"""The people of the demo firm, as plain data: the same seed and day make the same people."""

import random
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from portal.demo import names
from portal.people import roles

SEED = 20240817
FULL = 240
FEWEST = 24

# code: (name, Chinese name, time zone, jurisdiction)
OFFICES = {
    "shanghai": ("Shanghai", "上海", "Asia/Shanghai", "CN"),
    "hong-kong": ("Hong Kong", "香港", "Asia/Hong_Kong", "HK"),
    "new-york": ("New York", "纽约", "America/New_York", "US"),
}
# name: (Chinese name, the department above)
DEPARTMENTS = {
    "Executive Office": ("总裁办公室", ""),
    "Wealth Management": ("财富管理部", ""),
    "Institutional Sales": ("机构销售部", ""),
    "Investment": ("投资部", ""),
    "Americas": ("美洲区", ""),
    "Corporate Functions": ("职能部门", ""),
    "Private Clients": ("私人客户部", "Wealth Management"),
    "Family Office": ("家族办公室", "Wealth Management"),
    "Equity Sales": ("股票销售部", "Institutional Sales"),
    "Fixed Income Sales": ("固定收益销售部", "Institutional Sales"),
    "Research": ("研究部", "Investment"),
    "Trading": ("交易部", "Investment"),
    "New York Clients": ("纽约客户部", "Americas"),
    "New York Markets": ("纽约市场部", "Americas"),
    "Operations": ("营运部", "Corporate Functions"),
    "Technology": ("信息技术部", "Corporate Functions"),
    "Legal and Compliance": ("法律合规部", "Corporate Functions"),
    "Human Resources": ("人力资源部", "Corporate Functions"),
}
CLIENT_FACING = {"Private Clients", "Family Office", "Equity Sales", "Fixed Income Sales", "New York Clients"}
SOMETIMES_FACING = {"Research", "Trading", "New York Markets", "Wealth Management", "Institutional Sales", "Americas"}

# The second level: area: (department, office, title, Chinese title)
HEADS = {
    "wealth": ("Wealth Management", "shanghai", "Head of Wealth Management", "财富管理部总经理"),
    "sales": ("Institutional Sales", "hong-kong", "Head of Institutional Sales", "机构销售部总经理"),
    "americas": ("Americas", "new-york", "Head of Americas", "美洲区总经理"),
    "functions": ("Corporate Functions", "shanghai", "Chief Operating Officer", "首席营运官"),
    "investment": ("Investment", "shanghai", "Chief Investment Officer", "首席投资官"),
    "hong-kong": ("Wealth Management", "hong-kong", "Head of Wealth Management, Hong Kong", "香港财富管理总经理"),
}
# The third level, one leader each: (area, department, office, weight of the team's size). A small firm has the first.
TEAMS = (
    ("wealth", "Private Clients", "shanghai", 10),
    ("sales", "Equity Sales", "hong-kong", 9),
    ("americas", "New York Clients", "new-york", 9),
    ("functions", "Legal and Compliance", "hong-kong", 4),
    ("functions", "Human Resources", "shanghai", 3),
    ("functions", "Technology", "shanghai", 6),
    ("wealth", "Private Clients", "shanghai", 9),
    ("wealth", "Private Clients", "shanghai", 8),
    ("wealth", "Family Office", "shanghai", 5),
    ("hong-kong", "Private Clients", "hong-kong", 8),
    ("hong-kong", "Private Clients", "hong-kong", 7),
    ("hong-kong", "Family Office", "hong-kong", 5),
    ("sales", "Equity Sales", "hong-kong", 7),
    ("sales", "Equity Sales", "shanghai", 7),
    ("sales", "Fixed Income Sales", "hong-kong", 7),
    ("sales", "Fixed Income Sales", "shanghai", 7),
    ("investment", "Research", "shanghai", 7),
    ("investment", "Research", "shanghai", 6),
    ("investment", "Research", "hong-kong", 6),
    ("investment", "Trading", "shanghai", 6),
    ("investment", "Trading", "hong-kong", 6),
    ("americas", "New York Clients", "new-york", 8),
    ("americas", "New York Clients", "new-york", 7),
    ("americas", "New York Markets", "new-york", 7),
    ("americas", "New York Markets", "new-york", 6),
    ("functions", "Operations", "shanghai", 8),
    ("functions", "Operations", "hong-kong", 6),
    ("functions", "Operations", "new-york", 5),
    ("functions", "Technology", "new-york", 4),
    ("functions", "Legal and Compliance", "shanghai", 4),
)
# department: titles of (leader, experienced, junior), each English and Chinese
TITLES = {
    "Private Clients": ("Team Head 团队主管", "Relationship Manager 客户经理", "Client Adviser 理财顾问"),
    "Family Office": ("Family Office Director 家族办公室总监", "Wealth Planner 财富规划师", "Analyst 分析员"),
    "Equity Sales": ("Director, Equity Sales 股票销售总监", "Equity Sales 股票销售经理", "Sales Associate 销售助理"),
    "Fixed Income Sales": ("Director, Credit 固收销售总监", "Credit Sales 信用销售经理", "Sales Associate 销售助理"),
    "Research": ("Research Director 研究总监", "Senior Analyst 高级研究员", "Analyst 研究员"),
    "Trading": ("Head of Desk 交易主管", "Trader 交易员", "Junior Trader 初级交易员"),
    "New York Clients": ("Managing Director 董事总经理", "Vice President 副总裁", "Associate 经理"),
    "New York Markets": ("Director, Markets 市场总监", "Vice President 副总裁", "Associate 经理"),
    "Operations": ("Operations Manager 营运经理", "Settlements Specialist 清算专员", "Operations Analyst 营运专员"),
    "Technology": ("Technology Manager 技术经理", "Software Engineer 软件工程师", "Support Engineer 技术支持"),
    "Legal and Compliance": ("Head of Compliance 合规总监", "Compliance Manager 合规经理", "Legal Counsel 法务"),
    "Human Resources": ("Head of People 人力资源总监", "HR Partner 人力资源经理", "HR Assistant 人事助理"),
}


@dataclass(frozen=True)
class Person:
    """One line of HR's list. ``key`` names the few whom the story knows by name, "" for everybody else."""

    number: str
    name_en: str
    name_zh: str
    email: str
    userid: str
    department: str
    office: str
    title: str
    title_zh: str
    manager: str
    level: int
    team: int
    joined_on: date
    key: str = ""

    @property
    def talks_to_clients(self) -> bool:
        return self.department in CLIENT_FACING

    def hr_row(self) -> dict[str, str]:
        return {
            "employee_no": self.number,
            "name_en": self.name_en,
            "name_zh": self.name_zh,
            "email": self.email,
            "userid": self.userid,
            "unit": self.department,
            "office": self.office,
            "title": self.title,
            "title_zh": self.title_zh,
            "manager_no": self.manager,
            "joined_on": self.joined_on.isoformat(),
        }


@dataclass(frozen=True)
class Account:
    """A sign-in that is printed. ``role`` is what a visitor reads, in English."""

    role: str
    email: str
    groups: tuple[str, ...] = ()
    is_administrator: bool = False


ACCOUNTS = (
    Account("Employee, half-way through the course", "employee@example.com"),
    Account("Employee, finished, with a certificate", "finished@example.com"),
    Account("Manager of a team in trouble", "manager@example.com"),
    Account("Manager elsewhere", "manager2@example.com"),
    Account("HR", "hr@example.com", (roles.HR,)),
    Account("Compliance officer", "compliance@example.com", (roles.COMPLIANCE,)),
    Account("Compliance, the second pair of eyes", "compliance2@example.com", (roles.COMPLIANCE,)),
    Account("Outside auditor", "auditor@example.com", (roles.AUDITOR,)),
    Account("Course author", "author@example.com", (roles.AUTHOR,)),
    Account("Course author, who reviews the first one's questions", "author2@example.com", (roles.AUTHOR,)),
    Account("Administrator", "admin@example.com", (), is_administrator=True),
)
AUDITOR_NAME = "Eleanor Fitzgerald"  # of an outside firm: on nobody's HR list
SECOND_NAME = "Frank Ho Chi-keung"  # of the group's compliance: not on this firm's HR list either
SECOND_AUTHOR = "Ingrid Solberg"  # of the group: not on this firm's HR list
PASSWORD = "wechat-archive-demo"  # noqa: S105 - printed at the end of `make demo`, for a demonstration on one machine

# key: (Latin name, characters, WeCom userid). The leaders' keys say which team they lead.
NAMED = {
    "head": ("Shen Mingyuan", "沈明远", "shenmingyuan"),
    "manager": ("Zhou Min", "周敏", "zhou.min"),
    "manager2": ("Vivian Lau Wing-sze", "刘咏诗", "Vivian.Lau"),
    "compliance": ("Grace Wong Mei-ling", "黄美玲", "grace.wong"),
    "hr": ("Sun Li", "孙莉", "sunli"),
    "employee": ("Lin Yue", "林悦", "lin.yue"),
    "finished": ("Jason Chan Ka-ming", "陈家明", "JasonChan"),
    "author": ("Tang Yi", "唐艺", "tang.yi"),
    "admin": ("He Jun", "何俊", "0000318"),
}
LEADERS = {0: "manager", 1: "manager2", 3: "compliance", 4: "hr"}
MEMBERS = {0: ("employee",), 1: ("finished",), 3: ("author",), 5: ("admin",)}


@dataclass
class _Namer:
    """Hands out names, addresses and userids, never one twice."""

    chance: random.Random
    taken: set[str] = field(default_factory=lambda: {fixed[0] for fixed in NAMED.values()})
    emails: set[str] = field(default_factory=lambda: {account.email for account in ACCOUNTS})
    userids: set[str] = field(default_factory=lambda: {fixed[2].casefold() for fixed in NAMED.values()})

    def name(self, office: str) -> tuple[str, str]:
        while True:
            latin, characters = getattr(self, "_" + office.replace("-", "_"))()
            if latin not in self.taken:
                self.taken.add(latin)
                return latin, characters

    def _shanghai(self) -> tuple[str, str]:
        surname = self.chance.choice(names.pairs(names.MAINLAND_SURNAMES))
        given = self.chance.choice(names.pairs(names.MAINLAND_GIVEN))
        return f"{surname[0]} {given[0]}", surname[1] + given[1]

    def _hong_kong(self) -> tuple[str, str]:
        surname = self.chance.choice(names.pairs(names.HONG_KONG_SURNAMES))
        firsts, givens = self.chance.choice([names.HONG_KONG_WOMEN, names.HONG_KONG_MEN])
        first, given = self.chance.choice(firsts.split("|")), self.chance.choice(names.pairs(givens))
        return f"{first} {surname[0]} {given[0]}", surname[1] + given[1]

    def _new_york(self) -> tuple[str, str]:
        if self.chance.random() < 0.15:
            return self.chance.choice([*names.pairs(names.NEW_YORK_CHINESE), self._shanghai()])
        first = self.chance.choice(names.pairs(names.NEW_YORK))[0]
        if first not in self.taken:
            return first, ""
        given, _, family = first.partition(" ")
        other = self.chance.choice(names.pairs(names.NEW_YORK))[0].partition(" ")[2]
        return self.chance.choice([f"{given} {other}", f"{given} {family}-{other.split(' ')[-1]}"]), ""

    def email(self, latin: str) -> str:
        stem = ".".join(ends(latin))[:48].strip(".-")
        return self._free(stem, self.emails, "{stem}{n}@example.com", f"{stem}@example.com")

    def userid(self, latin: str) -> str:
        first, last = ends(latin)
        shapes = [
            f"{first}{last}",
            f"{first}.{last}",
            f"{first.title()}{last.title()}",
            f"{first[0]}{last}",
            f"{last}_{first[0]}",
            f"{first}-{last}",
            f"{first.title()}.{last.title()}",
        ]
        stem = self.chance.choice(shapes)[:40]
        return self._free(stem, self.userids, "{stem}{n}", stem)

    @staticmethod
    def _free(stem: str, taken: set[str], pattern: str, wanted: str) -> str:
        n = 1
        while wanted.casefold() in taken:
            n += 1
            wanted = pattern.format(stem=stem, n=n)
        taken.add(wanted.casefold())
        return wanted


def plain(latin: str) -> str:
    """Return a name in lower-case ASCII letters, hyphens and spaces."""
    ascii_only = unicodedata.normalize("NFKD", latin.replace("ø", "o").replace("Ø", "O")).encode("ascii", "ignore")
    return ascii_only.decode().replace("'", "").lower()


def ends(latin: str) -> tuple[str, str]:
    """Return the two words of a name that an address is made of: in "Amy Lau Wing-sze" the family stands second."""
    words = plain(latin).split()
    return words[0], words[1 if "-" in words[-1] else -1]


def everybody(today: date, size: int = FULL, seed: int = SEED) -> list[Person]:
    """Return the firm's people in the order of their numbers, managers before those who report to them.

    Four levels: one at the head, up to six heads of areas, one leader a team, the rest. Raises ValueError for a firm
    too small to have its roles.
    """
    if size < FEWEST:
        raise ValueError(f"the demo firm has at least {FEWEST} people")
    chance = random.Random(seed)  # noqa: S311 - invented, not secret
    namer = _Namer(chance)
    teams = TEAMS[: min(len(TEAMS), max(6, size // 8))]
    people = [_somebody(namer, "head", "", "Executive Office", "shanghai", "Chief Executive 首席执行官", 1, -1)]
    heads = {}
    for area in dict.fromkeys(team[0] for team in teams):
        department, office, title, title_zh = HEADS[area]
        head = _somebody(namer, "", people[0].number, department, office, f"{title} {title_zh}", 2, -1, len(people))
        heads[area] = head.number
        people.append(head)
    leaders = []
    for n, (area, department, office, _) in enumerate(teams):
        title, key = TITLES[department][0], LEADERS.get(n, "")
        leaders.append(_somebody(namer, key, heads[area], department, office, title, 3, n, len(people)))
        people.append(leaders[-1])
    for n, key in _seats(teams, size - len(people)):
        _, department, office, _ = teams[n]
        title = TITLES[department][1 if chance.random() < 0.6 else 2]
        people.append(_somebody(namer, key, leaders[n].number, department, office, title, 4, n, len(people)))
    return _with_days(_with_oddities(people), today, chance)


def _seats(teams: tuple, count: int) -> list[tuple[int, str]]:
    """Return (team, key) for each of ``count`` members: the named ones first, then by the weight of each team."""
    seats = [(n, key) for n, keys in MEMBERS.items() for key in keys]
    size_of = {n: len(MEMBERS.get(n, ())) for n in range(len(teams))}
    while len(seats) < count:
        n = min(size_of, key=lambda n: (size_of[n] / teams[n][3], n))
        size_of[n] += 1
        seats.append((n, ""))
    return seats


def _somebody(
    namer: _Namer, key: str, manager: str, department: str, office: str, title: str, level: int, team: int, before=0
) -> Person:
    latin, characters = NAMED[key][:2] if key else namer.name(office)
    account = f"{key}@example.com"
    english, _, chinese = title.rpartition(" ")
    return Person(
        number=f"D{1001 + before}",
        name_en=latin,
        name_zh=characters,
        email=account if account in {a.email for a in ACCOUNTS} else namer.email(latin),
        userid=NAMED[key][2] if key else namer.userid(latin),
        department=department,
        office=office,
        title=english,
        title_zh=chinese,
        manager=manager,
        level=level,
        team=team,
        joined_on=date.min,
        key=key,
    )


def _with_oddities(people: list[Person]) -> list[Person]:
    """Some have no WeCom account, and one has a name longer than any table expects."""
    free = [n for n, person in enumerate(people) if person.level == 4 and not person.key]
    back_office = [n for n in free if not people[n].talks_to_clients and people[n].department != "Research"]
    for n in back_office[3::9]:
        people[n] = replace(people[n], userid="")
    longest = next((n for n in free if people[n].office == "new-york"), free[-1])
    people[longest] = replace(
        people[longest],
        name_en=names.LONGEST,
        name_zh="",
        email="maximiliana@example.com",
        userid="Maxi.F-P_de.los.Santos",
    )
    return people


def _with_days(people: list[Person], today: date, chance: random.Random) -> list[Person]:
    """Give everybody the day of joining: most years ago, some in the last months, some in the last weeks or soon."""
    members = [n for n, person in enumerate(people) if person.level == 4 and not person.key]
    newest = members[-1 :: -max(1, len(members) // max(2, len(people) // 15))]  # spread over the teams
    starting = max(1, len(people) // 80)
    days = {n: chance.randint(430, 4500) for n in range(len(people))}
    for n in members:
        if chance.random() < 0.18:
            days[n] = chance.randint(40, 420)
    for n in newest:
        days[n] = chance.randint(1, 30)
    for n in newest[:starting]:
        days[n] = -chance.randint(3, 12)  # signed, starts soon: HR has them on the list already
    return [replace(person, joined_on=today - timedelta(days=days[n])) for n, person in enumerate(people)]
