"""Whatever a person's life brings: what holds of their duties, over random joins, moves, leaves and completions."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from training import duties
from training.audiences import Person, below_each, membership
from training.deciding import Held, Material, Open, Why, ahead, decide
from training.duties import Terms
from training.looking import Book

DAY = timedelta(days=1)
BEGIN = date(2027, 11, 1)  # the leap day of 2028 lies ahead

OFFICES = [("SH", "CN"), ("HK", "HK"), ("NY", "US"), ("LN", "UK"), ("", "")]


@dataclass
class Row:
    """A cycle as the database keeps it."""

    cycle: int
    assigned_on: date
    due_on: date
    rule: int | None
    because: dict
    edition: int | None = None
    ended_on: date | None = None
    why: str = ""


@dataclass
class Life:
    """One person and one course, day by day, with rows instead of a database."""

    person: Person
    rules: list[Terms]
    rows: list[Row] = field(default_factory=list)
    completions: list[tuple[date, date, int]] = field(default_factory=list)  # (on, counts until, edition)
    exempt: tuple = ()
    material: Material | None = None
    edition: int = 1

    def held(self) -> Held:
        mine = [row for row in self.rows if row.ended_on is None]
        assert len(mine) <= 1, "two open cycles of one duty"
        open_one = None
        if mine:
            row = mine[0]
            open_one = Open(
                self.rows.index(row), row.cycle, row.assigned_on, row.due_on, row.rule, row.edition, row.because
            )
        return Held(
            open_one,
            len(self.rows),
            max((until for _on, until, _e in self.completions), default=None),
            max((edition for *_days, edition in self.completions), default=0),
            self.exempt,
        )

    def called(self, today: date) -> list[Terms]:
        return [one for one in self.rules if one.starts_on <= today and one.asks(self.person)]

    def apply(self, today: date) -> bool:
        """Do what is to be done, as training.assignments writes it. Return whether it was anything."""
        self.person = replace(self.person, is_on_staff=not (self.person.left_on and self.person.left_on < today))
        held = self.held()
        deed = decide(self.person, held, self.called(today), self.material, today)
        mine = self.rows[held.open.pk] if held.open else None
        if deed.ends:
            mine.ended_on, mine.why = deed.ended_on, deed.ends
        if deed.moves_to:
            opening = deed.moved_by.get("opening")
            assert deed.moves_to > mine.due_on or opening, "a date moves sooner only for a rule that calls for it"
            mine.due_on = deed.moves_to
            if opening:
                mine.rule = opening.terms.rule
                mine.because = {
                    "rules": [*mine.because["rules"], opening.terms.rule],
                    "base_due": opening.base_due.isoformat(),
                    "leave_from": today.isoformat(),
                }
        if deed.opens:
            assert deed.opens.due_on >= today
            rules = [deed.opens.terms.rule, *(one.rule for one in deed.opens.also)]
            because = {"rules": rules, "base_due": deed.opens.base_due.isoformat()}
            self.rows.append(Row(len(self.rows) + 1, today, deed.opens.due_on, deed.opens.terms.rule, because))
        return deed.is_anything

    def complete(self, today: date) -> None:
        mine = next((row for row in self.rows if row.ended_on is None), None)
        if mine is None:
            return
        mine.edition = mine.edition or self.edition
        terms = next((one for one in self.rules if one.rule == mine.rule), None)
        until = duties.expires_on(today, 12, terms, self.held().lapses_on)
        self.completions.append((today, until, mine.edition))
        mine.ended_on, mine.why = today, "completed"


def terms_of(number: int) -> st.SearchStrategy[Terms]:
    """A rule for one of the offices, or for everybody."""

    def build(place, due_kind, due_days, renewal, window, starts) -> Terms:
        asks = (lambda person: True) if place is None else (lambda person: person.office == place)
        return Terms(
            rule=number, name=f"rule {number}", version=1, starts_on=BEGIN + starts * DAY, due_kind=due_kind,
            due_days=due_days, due_date=BEGIN + 60 * DAY, renewal_kind=renewal, window_days=window,
            season=((2, 1), (2, 29)), asks=asks,
        )  # fmt: skip

    return st.builds(
        build,
        st.sampled_from([None, "SH", "HK", "NY"]),
        st.sampled_from(["days", "working_days", "date"]),
        st.integers(1, 60),
        st.sampled_from(["counted", "rolling", "season"]),
        st.integers(0, 90),
        st.integers(0, 200),
    )


rules = st.integers(1, 3).flatmap(lambda n: st.tuples(*(terms_of(number) for number in range(1, n + 1))))
HAPPENS = ["complete", "begin", "move", "leave_firm", "rejoin", "away", "exempt", "material", "nothing"]
steps = st.lists(st.tuples(st.integers(1, 75), st.sampled_from(HAPPENS), st.integers(0, 90)), min_size=1, max_size=25)


def happen(life: Life, what: str, n: int, today: date) -> None:
    if what == "complete":
        life.complete(today)
    elif what == "begin":
        for row in life.rows:
            if row.ended_on is None and row.edition is None:
                row.edition = life.edition
    elif what == "move":
        office, jurisdiction = OFFICES[n % len(OFFICES)]
        life.person = replace(life.person, office=office, jurisdiction=jurisdiction)
    elif what == "leave_firm" and life.person.left_on is None:
        life.person = replace(life.person, left_on=today)
    elif what == "rejoin" and life.person.left_on and life.person.left_on < today:
        life.person = replace(life.person, left_on=None, joined_on=today)
    elif what == "away":
        away = (today + n * DAY, today + 2 * n * DAY)
        life.person = replace(life.person, leaves=(*life.person.leaves, away))
    elif what == "exempt":
        life.exempt = (*life.exempt, (today, today + n * DAY))
    elif what == "material":
        life.edition += 1
        life.material = Material(life.edition, today)


def live(told: tuple[Terms, ...], life_steps: list) -> Life:
    life, today = Life(Person(pk=1, office="SH", jurisdiction="CN", joined_on=BEGIN), list(told)), BEGIN
    for days, what, n in life_steps:
        for _ in range(days):
            today += DAY
            life.apply(today)
        done = [*life.completions]
        happen(life, what, n, today)
        life.apply(today)
        assert not life.apply(today), "asked again on the same day, something was left to do"
        assert life.completions[: len(done)] == done, "a completion was lost"
    return life


def test_a_date_that_a_later_rule_moves_counts_leave_from_that_day_on():
    told = (
        Terms(1, "all", 1, BEGIN + 14 * DAY, due_days=1),
        Terms(2, "NY", 1, BEGIN, due_days=1, asks=lambda person: person.office == "NY"),
    )
    life = live(told, [(1, "away", 14), (25, "move", 67)])  # the same day asked twice: see live()
    assert [row.rule for row in life.rows] == [2]


@given(rules, steps)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_cycles_follow_each_other_and_nothing_is_lost(told, life_steps):
    life = live(told, life_steps)
    for earlier, later in zip(life.rows, life.rows[1:], strict=False):
        assert earlier.ended_on is not None
        assert earlier.ended_on <= later.assigned_on
        assert later.cycle == earlier.cycle + 1
    for row in life.rows:
        assert row.due_on >= row.assigned_on
        assert row.why in ("", "completed", Why.LEFT, Why.MOVED, Why.EXEMPT, Why.NEW_EDITION)
    assert sum(row.why == "completed" for row in life.rows) == len(life.completions)


@given(rules, steps)
@settings(max_examples=100, deadline=None)
def test_due_dates_of_completed_cycles_go_forward(told, life_steps):
    """A renewal is due after the cycle before it was completed, and what a completion counts for never shrinks."""
    life = live(told, [one for one in life_steps if one[1] not in ("material", "leave_firm")])
    done = [row for row in life.rows if row.why == "completed"]
    for row in done:
        later = [one for one in life.rows if one.cycle > row.cycle]
        assert all(one.due_on > row.ended_on for one in later)
    best = date.min
    for _on, until, _edition in life.completions:
        assert until > _on
        best = max(best, until)
    assert life.held().lapses_on == (best if life.completions else None)


@given(rules, steps)
@settings(max_examples=100, deadline=None)
def test_a_leaver_owes_nothing_and_who_is_in_no_audience_owes_nothing(told, life_steps):
    life = live(told, life_steps)
    today = BEGIN + 3000 * DAY
    life.apply(today)  # what was begun waits while an exemption lasts, and ends in the night after it
    mine = [row for row in life.rows if row.ended_on is None]
    if mine and not [one for one in told if one.asks(life.person)]:
        raise AssertionError("nobody calls for it, and it is still open")
    life.person = replace(life.person, left_on=today)
    life.apply(today + DAY)
    assert all(row.ended_on is not None for row in life.rows)


@given(rules, steps)
@settings(max_examples=100, deadline=None)
def test_what_lies_ahead_is_in_order_and_of_rules_that_call(told, life_steps):
    life = live(told, life_steps)
    today = BEGIN + (sum(days for days, *_rest in life_steps)) * DAY
    called = [one for one in life.rules if one.asks(life.person)]
    coming = ahead(life.person, life.held(), called, life.material, months=12, today=today)
    assert len(coming) <= 3
    assert [one.due_on for one in coming] == sorted(one.due_on for one in coming)
    if called and life.person.left_on is None:
        assert len(coming) == 3


@given(st.dates(date(2026, 1, 1), date(2031, 12, 31)), st.integers(1, 36), st.integers(0, 120), st.integers(0, 400))
def test_finishing_early_never_costs_a_day_inside_the_window(lapses, months, window, early):
    """Rolling: the earlier one finishes inside the window the date stays; outside of it one only loses what is over."""
    told = Terms(1, "r", 1, date(2020, 1, 1), renewal_kind="rolling", renewal_months=months, window_days=window)
    on = lapses - early * DAY
    until = duties.expires_on(on, months, told, lapses)
    at_the_last_moment = duties.expires_on(lapses, months, told, lapses)
    assert (until == at_the_last_moment) if early <= window else (until <= at_the_last_moment)


# --- rules are asked once for people of a kind


leaves = st.one_of(
    st.builds(lambda n: {"fact": "department", "is": [n]}, st.integers(1, 4)),
    st.builds(lambda code: {"fact": "office", "is": [code]}, st.sampled_from(["SH", "HK", "NY"])),
    st.builds(lambda tag: {"fact": "tag", "is": [tag]}, st.sampled_from(["a", "b"])),
    st.builds(lambda n: {"fact": "hired_within", "is": [n]}, st.integers(1, 60)),
    st.builds(lambda day: {"fact": "hired_before", "is": [day.isoformat()]}, st.dates(BEGIN, BEGIN + 60 * DAY)),
    st.builds(lambda day: {"fact": "hired_after", "is": [day.isoformat()]}, st.dates(BEGIN, BEGIN + 60 * DAY)),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=5,
)
anybody = st.builds(
    lambda department, office, tags, joined: Person(
        pk=1, department=department, office=office, tags=frozenset(tags), joined_on=joined
    ),
    st.one_of(st.none(), st.integers(1, 4)),
    st.sampled_from(["SH", "HK", ""]),
    st.sets(st.sampled_from(["a", "b"])),
    st.one_of(st.none(), st.dates(BEGIN, BEGIN + 60 * DAY)),
)


@given(st.lists(trees, min_size=1, max_size=4), st.lists(anybody, min_size=1, max_size=12))
def test_what_is_found_once_for_a_kind_of_people_holds_for_each_of_them(asked, persons):
    below = below_each({1: None, 2: 1, 3: 2, 4: None})
    book = Book(BEGIN + 60 * DAY, below=below)
    for number, tree in enumerate(asked, start=1):
        asks = membership(tree, today=book.today, below=below)
        book.add(number % 2, Terms(number, f"r{number}", 1, BEGIN, asks=asks), tree)
    for person in persons:
        said = {terms.rule for mine in book.calls(person).values() for terms in mine}
        assert said == {
            number
            for number, tree in enumerate(asked, start=1)
            if membership(tree, today=book.today, below=below)(person)
        }
