"""The columns of a list of people: what each is called here, and what HR systems call it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Column:
    """``name``: as the people here bear it. ``known_as``: names in files, any case, spaces and _ alike."""

    name: str
    label: str
    known_as: tuple[str, ...]
    is_needed: bool = False


COLUMNS = (
    Column(
        "employee_no",
        _("Employee number"),
        ("employee no", "employee id", "employee number", "staff id", "staff no", "工号", "员工编号", "人员编号"),
        True,
    ),
    Column("name_en", _("Name in Latin letters"), ("name", "full name", "english name", "英文名", "拼音"), True),
    Column(
        "email", _("E-mail"), ("e-mail", "mail", "work email", "email address", "邮箱", "电子邮箱", "电子邮件"), True
    ),
    Column("name_zh", _("Chinese name"), ("chinese name", "姓名", "中文名", "中文姓名")),
    Column("wecom_userid", _("WeCom userid"), ("userid", "wecom id", "企业微信账号", "企业微信 userid", "账号")),
    Column("unit", _("Department"), ("department", "dept", "org unit", "部门", "所在部门")),
    Column("office", _("Office (code)"), ("location", "site", "office code", "办公地点", "工作地点")),
    Column("title", _("Title"), ("job title", "position", "英文职位")),
    Column("title_zh", _("Chinese title"), ("职务", "职位", "岗位")),
    Column(
        "manager_no",
        _("Manager's number"),
        ("manager id", "manager number", "supervisor id", "reports to", "上级工号", "直属上级工号", "汇报对象工号"),
    ),
    Column("joined_on", _("Joined on"), ("hire date", "start date", "join date", "入职日期")),
    Column(
        "left_on", _("Last day"), ("termination date", "end date", "leave date", "last day", "离职日期", "最后工作日")
    ),
    Column("tags", _("Tags"), ("tag", "labels", "标签", "人员标签")),
)
NEEDED = tuple(column.name for column in COLUMNS if column.is_needed)
DAYS = ("joined_on", "left_on")


def guess(headers: Sequence[str]) -> dict[str, str]:
    """Return {column: header} as far as the headers tell: by our own name, by our label, by what others call it."""
    of_header = {_plain(header): header for header in reversed(headers)}
    found: dict[str, str] = {}
    for column in COLUMNS:
        names = (column.name, *column.known_as)
        if header := next((of_header[_plain(name)] for name in names if _plain(name) in of_header), ""):
            found[column.name] = header
    return found


def missing(there: Iterable[str]) -> list[str]:
    """Return the columns without which a file is no list of people and that are not there."""
    return sorted(set(NEEDED) - set(there))


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())
