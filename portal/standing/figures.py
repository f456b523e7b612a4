"""The firm's figures as tables, for files and for machines: made of what the page shows, so that they cannot differ."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from portal.people.models import Employee
from portal.standing import effect_page, firm
from portal.standing.effect import Estimate


@dataclass(frozen=True)
class Table:
    """``keys`` are the columns for machines and the same in every language, ``heading`` is for people."""

    name: str
    keys: tuple[str, ...]
    heading: list[str]
    rows: list[Sequence]

    def as_json(self) -> list[dict]:
        return [dict(zip(self.keys, (_plain(one) for one in row), strict=True)) for row in self.rows]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def table(name: str, viewer: Employee, today: date, kind: str = "", scope: firm.Scope = firm.WHOLE) -> Table:
    """Return one table as this viewer's page has it. Raises KeyError for a name that is not in NAMES."""
    if name == EFFECT:
        return _effect(effect_page.page(kind, today))
    return OF_FIRM[name](firm.page_of(viewer, today, scope))


def every(viewer: Employee, today: date) -> list[Table]:
    """Return all tables, from one reading of the firm."""
    page = firm.page_of(viewer, today)
    return [*(make(page) for make in OF_FIRM.values()), _effect(effect_page.page("", today))]


def _made(name: str, columns: dict[str, str], rows: Iterator[Sequence]) -> Table:
    return Table(name, tuple(columns), list(columns.values()), list(rows))


def _tiles(page: dict) -> Table:
    tiles = page["tiles"]
    rows = (
        ("people", _("People on staff"), tiles.people),
        ("current", _("Training current"), tiles.current),
        ("current_percent", _("Training current, percent"), tiles.current_percent),
        ("late", _("Overdue or expired"), tiles.lapsed),
        ("due_soon", _("Due within 14 days"), tiles.due_soon),
        ("barred", _("May not message"), tiles.barred),
        ("open_findings", _("Open findings about people on staff"), tiles.open_findings),
        ("open_findings_in_all", _("Open findings in all"), page["finding_count"]),
        ("overdue_findings", _("Open findings beyond their due date"), page["overdue_count"]),
    )
    return _made("tiles", {"figure": _("Figure"), "name": _("Name"), "value": _("Number")}, iter(rows))


def _states(page: dict) -> Table:
    columns = {
        "training": pgettext("code", "Training"),
        "archive": pgettext("code", "Archive"),
        "people": pgettext("count", "People"),
    }
    cells = (cell for _row, cells in page["matrix"] for cell in cells)
    return _made("states", columns, ((cell.row, cell.column, cell.count) for cell in cells))


def _forecast(page: dict) -> Table:
    columns = {
        "days": _("Within so many days"),
        "until": pgettext("day", "Until"),
        "people": pgettext("count", "People"),
    }
    return _made("forecast", columns, ((one.days, one.until, one.people) for one in page["forecast"]))


def _trend(page: dict) -> Table:
    columns = {
        "month": pgettext("month", "End of"),
        "people": pgettext("count", "People"),
        "current": _("Training current"),
        "lapsed": pgettext("training", "Lapsed"),
        "barred": _("May not message"),
        "clean": _("Archive clean"),
        "breach": _("Open breach"),
    }
    rows = (
        (f"{one.month:%Y-%m}" if one.month else "today", one.people, one.current, one.lapsed, one.barred, one.clean,
         one.breach)
        for one in page["points"]
    )  # fmt: skip
    return _made("trend", columns, rows)


def _shares(name: str, label: str, shares: list[firm.Share]) -> Table:
    columns = {
        "id": _("Number"),
        "level": _("Level"),
        "name": label,
        "people": pgettext("count", "People"),
        "current": _("Training current"),
        "current_percent": _("Training current, percent"),
        "late": _("Overdue or expired"),
        "barred": _("May not message"),
        "open_findings": _("Open findings"),
    }
    rows = (
        (one.pk, one.depth + 1, one.name, one.people, one.current, one.current_percent, one.lapsed, one.barred,
         one.open_findings)
        for one in shares
    )  # fmt: skip
    return _made(name, columns, rows)


def _reach(page: dict) -> Table:
    columns = {
        "month": _("Month"),
        "id": _("Number"),
        "name": _("Office"),
        "people": pgettext("count", "People"),
        "kept": _("With messages kept"),
        "kept_percent": _("With messages kept, percent"),
        "silent": _("Inactive licences"),
        "messages": _("Messages"),
        "with_clients": _("Of them with clients"),
    }
    month = f"{page['reach_month']:%Y-%m}"
    rows = (
        (month, one.pk, one.name, one.people, one.kept, one.kept_percent, one.silent, one.messages, one.with_clients)
        for one in page["reach"]
    )
    return _made("reach", columns, rows)


def _knowledge(page: dict) -> Table:
    columns = {
        "module": _("Short name"),
        "title": _("Module"),
        "people": pgettext("count", "People"),
        "passed": _("Passed at the first try"),
        "passed_percent": _("Passed at the first try, percent"),
        "mean_percent": _("Mean mark"),
    }
    rows = (
        (one.slug, one.title, one.tried, one.passed, one.passed_percent, one.percent)
        for one in page["knowledge"].modules
    )
    return _made("knowledge", columns, rows)


AGES = {
    "week": gettext_lazy("in the last 7 days"),
    "month": gettext_lazy("8 to 30 days ago"),
    "quarter": gettext_lazy("31 to 90 days ago"),
    "older": gettext_lazy("more than 90 days ago"),
}


def _ages(page: dict) -> Table:
    columns = {
        "age": pgettext("code", "Age"),
        "opened": _("Opened"),
        "open": _("Open findings"),
        "overdue": _("Beyond their due date"),
    }
    return _made("ages", columns, ((one.key, str(AGES[one.key]), one.findings, one.overdue) for one in page["ages"]))


def _kinds(page: dict) -> Table:
    columns = {"kind": pgettext("code", "Kind"), "name": _("Kind"), "open": _("Open"), "ever": _("Ever")}
    return _made("kinds", columns, ((one.kind, one.label, one.open, one.ever) for one in page["by_kind"]))


EFFECT = "effect"
OF_FIRM: dict[str, Callable[[dict], Table]] = {
    "tiles": _tiles,
    "states": _states,
    "forecast": _forecast,
    "trend": _trend,
    "departments": lambda page: _shares("departments", _("Department"), page["departments"]),
    "offices": lambda page: _shares("offices", _("Office"), page["offices"]),
    "reach": _reach,
    "knowledge": _knowledge,
    "ages": _ages,
    "kinds": _kinds,
}
NAMES = (*OF_FIRM, EFFECT)


def _effect(page: dict) -> Table:
    columns = {
        "counted_in": _("Counted in"),
        "row": _("Group or ratio"),
        "people": pgettext("count", "People"),
        "findings": _("Findings"),
        "exposure": _("Messages sent or person-months"),
        "value": _("Rate or ratio"),
        "low": _("From, 95 percent interval"),
        "high": _("To, 95 percent interval"),
        "hidden": _("Why there is no figure"),
    }
    rows = []
    for part in page["parts"]:
        for one in part.rates:
            shown = one.rate if one.rate.estimate else None
            told = (shown.people, shown.findings, shown.exposure) if shown else (None, None, None)
            rows.append((part.title, one.label, *told, *_rounded(one.rate.estimate), one.why_hidden))
        for one in part.ratios:
            nothing = (None, None, None)
            rows.append((part.title, one.label, *nothing, *_rounded(one.ratio.estimate), one.why_hidden))
    return _made(EFFECT, columns, iter(rows))


def _rounded(found: Estimate | None) -> tuple[float | None, float | None, float | None]:
    """Return value and interval as the page says them, to two places. None where it says nothing."""
    if found is None:
        return None, None, None
    return tuple(None if one is None else round(one, 2) for one in (found.value, found.low, found.high))
