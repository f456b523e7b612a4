"""What a directory tells of a person, made so by the services of the rooms below: the same rules, the same Entries."""

from collections.abc import Mapping
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone
from scim2_models import InvalidValueException, UniquenessException

from portal.hr import writing
from portal.hr.comparing import LONGEST, Kind
from portal.ledger import services as ledger
from portal.people import rules, services
from portal.people.calendars import local_day
from portal.people.models import Employee
from portal.people.ringing import ring_changed
from portal.scim import showing
from portal.scim.models import Account
from portal.scim.names import Told, names_of
from portal.scim.schemas import Email, Enterprise, Name, Person

ATTRIBUTES = {"employee_no": "employeeNumber", "email": "emails", "name_en": "displayName", "name_zh": "displayName",
              "unit": "department", "title": "title"}  # fmt: skip


def create(wanted: Person, *, by: str) -> Employee:
    """Add a person, or take up who is known already and not by this directory, or has left and comes back.

    Raises UniquenessException if that is somebody whom the directory has, InvalidValueException.
    """
    employee = _known(wanted)
    return _write(employee, None, wanted, by=by)


def change(employee: Employee, shown: Person, wanted: Person, *, by: str) -> Employee:
    """Make a person what the directory wants where that differs from what it was shown."""
    return _write(employee, shown, wanted, by=by)


def remove(employee: Employee, *, by: str) -> None:
    """Let the directory have the person no more: they leave, are signed out, and stay in every record."""
    account = _account(employee, showing.show_people([employee], local_day(employee))[0], by)
    _leave(employee, by)
    Account.objects.filter(pk=account.pk).update(ended_at=timezone.now(), told_active=False)
    ledger.append(verb="scim.person_removed", actor=by, subject=employee.uid, body={"user_name": account.user_name})


# --- who it is ---------------------------------------------------------------------------------------------------


def _known(wanted: Person) -> Employee | None:
    """Return who is here already, told by the number or else by the address, locked; None for somebody new."""
    name = _text(wanted.user_name)
    if Account.objects.filter(user_name__iexact=name, ended_at=None).exists():
        raise UniquenessException(detail=f"There is a User {name} already.")
    number, address = _number(wanted), _address(wanted)
    rows = Employee.objects.select_for_update(of=("self",)).select_related("department", "manager", "account")
    found = list(rows.filter(Q(employee_no=number) if number else Q(email=address)).order_by("pk"))
    if not found and number:
        found = list(rows.filter(email=address))
    if not found:
        return None
    employee = found[0]
    account = showing.account_of(employee)
    is_other = number and employee.employee_no and employee.employee_no != number
    is_taken = account is not None and account.ended_at is None
    if (is_other or is_taken) and not _has_left(employee):
        raise UniquenessException(detail=f"Somebody else has the address {address} or the number {number or '-'}.")
    if employee.is_superuser or (employee.employee_no is None and account is None):
        raise UniquenessException(detail=f"{address} is somebody who is not on HR's list.")
    return employee


def _has_left(employee: Employee) -> bool:
    return employee.left_on is not None and not showing.is_here(employee, local_day(employee))


# --- what changes ------------------------------------------------------------------------------------------------


def _write(employee: Employee | None, shown: Person | None, wanted: Person, *, by: str) -> Employee:
    after = _after(employee, shown, wanted)
    _check(after, employee)
    if employee is None:
        employee = writing.write(kind=Kind.ADDED, person=None, before={}, after=after, by=by)
    elif after:
        before = {name: writing.text(employee, name) for name in after}
        writing.write(kind=Kind.CHANGED, person=employee.pk, before=before, after=after, by=by)
        employee = Employee.objects.select_related("department", "manager", "account").get(pk=employee.pk)
    account = _account(employee, wanted, by)
    _set_activity(employee, account, shown, wanted, by)
    _set_manager(employee, shown, wanted, by)
    ring_changed([employee.pk])
    return employee


def _after(employee: Employee | None, shown: Person | None, wanted: Person) -> dict[str, str]:
    """Return {column of HR's list: text} of what becomes different."""
    told = _names(wanted)
    now = (employee.name_en, employee.name_zh) if employee else ("", "")
    latin, chinese = names_of(told, _text(wanted.user_name), now)
    after = {"email": _address(wanted)}
    if employee is None or shown is None or told != showing.told_names(employee):
        after |= {"name_en": latin, "name_zh": chinese}
    pairs = (
        ("title", _text(wanted.title), _text(shown and shown.title)),
        ("employee_no", _number(wanted), _number(shown)),
        ("unit", _department(wanted), _department(shown)),
    )
    # Of who is taken up nothing is emptied that is not told.
    after |= {name: text for name, text, before in pairs if text or (shown is not None and before)}
    if employee is None:
        return {name: text for name, text in after.items() if text}
    return {name: text for name, text in after.items() if writing.text(employee, name) != text}


def _check(after: Mapping[str, str], employee: Employee | None) -> None:
    """Refuse what the columns cannot hold or somebody else has. Raises InvalidValueException, UniquenessException."""
    for name, text in after.items():
        if len(text) > LONGEST[name]:
            raise InvalidValueException(detail=f"{ATTRIBUTES[name]} has more than {LONGEST[name]} characters.")
    others = Employee.objects.exclude(pk=employee.pk if employee else None)
    if "email" in after:
        try:
            validate_email(after["email"])
        except ValidationError:
            raise InvalidValueException(detail="The address in emails is not one.") from None
        if others.filter(email=after["email"]).exists():
            raise UniquenessException(detail=f"Somebody else has the address {after['email']}.")
    if after.get("employee_no") and others.filter(employee_no=after["employee_no"]).exists():
        raise UniquenessException(detail=f"Somebody else has the number {after['employee_no']}.")


def _account(employee: Employee, wanted: Person, by: str) -> Account:
    """Keep how the directory calls the person. Raises UniquenessException, InvalidValueException."""
    account = showing.account_of(employee) or Account(employee=employee, user_name="")
    told = _names(wanted)
    before = {"user_name": account.user_name, "external_id": account.external_id}
    values = {
        "user_name": _text(wanted.user_name), "external_id": _text(wanted.external_id), "display_name": told.display,
        "formatted": told.formatted, "given_name": told.given, "family_name": told.family,
    }  # fmt: skip
    if not values["user_name"]:
        raise InvalidValueException(detail="userName is empty.")
    if long := [name for name, text in values.items() if len(text) > 255]:
        raise InvalidValueException(detail=f"{', '.join(long)}: more than 255 characters.")
    others = Account.objects.exclude(pk=account.pk)
    if others.filter(user_name__iexact=values["user_name"], ended_at=None).exists():
        raise UniquenessException(detail=f"There is a User {values['user_name']} already.")
    is_new = account.pk is None or account.ended_at is not None
    values |= {"name_en": employee.name_en, "name_zh": employee.name_zh, "ended_at": None}
    values |= {"email_type": _text(_email(wanted).type)[:40], "email_primary": _email(wanted).primary}
    for name, value in values.items():
        setattr(account, name, value)
    account.save()
    after = {name: values[name] for name in before}
    if is_new or after != before:
        ledger.append(verb="scim.person_named", actor=by, subject=employee.uid, body={"before": before, "after": after})
    employee.account = account
    return account


# --- whether they are here ---------------------------------------------------------------------------------------


def _set_activity(employee: Employee, account: Account, shown: Person | None, wanted: Person, by: str) -> None:
    """Let a person leave or come back when the directory says something else than before.

    What it repeats changes nothing: who has left by HR's list, or was suspended here, stays out although a directory
    goes on to say that they are active. Who comes back has left before: a suspension is lifted by who imposed it.
    """
    wants = wanted.active is not False
    told = None if shown is not None and wanted.active is None else wants
    if shown is not None and wants == (shown.active is not False):
        if account.told_active is None or told is None:
            _note_told(account, told)
        return
    if shown is not None and wants == account.told_active:
        return
    if wants and _has_left(employee):
        _come_back(employee, by)
    elif not wants:
        _leave(employee, by)
    _note_told(account, told)


def _note_told(account: Account, told: bool | None) -> None:
    account.told_active = told
    account.save(update_fields=["told_active"])


def _leave(employee: Employee, by: str) -> None:
    today = local_day(employee)
    if employee.left_on is None:
        last = max(today, employee.joined_on or today)
        _save_last_day(employee, last, by)
    services.set_active(employee=employee, active=False, by=by, reason="is not active in the directory")
    employee.refresh_from_db(fields=["is_active", "left_on"])


def _come_back(employee: Employee, by: str) -> None:
    _save_last_day(employee, None, by)
    services.set_active(employee=employee, active=True, by=by, reason="is active in the directory again")
    employee.refresh_from_db(fields=["is_active", "left_on"])


def _save_last_day(employee: Employee, last: date | None, by: str) -> None:
    text = last.isoformat() if last else ""
    before = {"left_on": writing.text(employee, "left_on")}
    writing.write(kind=Kind.CHANGED, person=employee.pk, before=before, after={"left_on": text}, by=by)


# --- to whom they report -----------------------------------------------------------------------------------------


def _set_manager(employee: Employee, shown: Person | None, wanted: Person, by: str) -> None:
    uid, before = _manager(wanted), _manager(shown)
    if uid == before or not (uid or before):
        return
    boss = showing.people().filter(uid=uid).first() if uid else None
    if uid and boss is None:
        raise InvalidValueException(detail="manager is the id of no User.")
    if boss is not None and boss.pk == employee.manager_id:
        return
    try:
        services.set_manager(employee=employee, manager=boss, by=by)
    except rules.ManagerCycle:
        raise InvalidValueException(detail="manager: nobody stands above themselves.") from None


# --- out of a resource -------------------------------------------------------------------------------------------


def _text(value: str | None) -> str:
    return (value or "").strip()


def _extension(user: Person | None) -> Enterprise:
    return (user and user[Enterprise]) or Enterprise()


def _number(user: Person | None) -> str:
    return _text(_extension(user).employee_number)


def _department(user: Person | None) -> str:
    return _text(_extension(user).department)


def _manager(user: Person | None) -> str:
    boss = _extension(user).manager
    return _text(boss and (boss.value or str(boss.ref or "").rpartition("/")[2]))


def _names(user: Person) -> Told:
    name = user.name or Name()
    return Told(_text(user.display_name), _text(name.formatted), _text(name.given_name), _text(name.family_name))


def _email(user: Person) -> Email:
    """Return the address for work, else the primary one, else the first."""
    told = [one for one in user.emails or [] if _text(one.value)]
    best = next((one for one in told if _text(one.type).casefold() == "work"), None)
    return best or next((one for one in told if one.primary), None) or (told[0] if told else Email())


def _address(user: Person) -> str:
    address = _text(_email(user).value).lower()
    if not address:
        raise InvalidValueException(detail="emails holds no address.")
    return address
