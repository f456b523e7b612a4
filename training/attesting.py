"""Policies that people sign: their versions, who has signed which, and that it was they who did."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from training.assignments import lock_person
from training.models import Attestation, Policy, PolicyVersion

FRESH = timedelta(minutes=5)  # a proof of being there counts so long


class NotFresh(Exception):
    """The person has not proved within FRESH to be there."""


class NotToSign(Exception):
    """Only the version that holds now is signed, by people on staff, and a quarterly one for a quarter."""


def fingerprint(title: Mapping[str, str], text: Mapping[str, str]) -> str:
    """Return the SHA-256 of title and text in all languages, hex."""
    told = json.dumps({"title": title, "text": text}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


@transaction.atomic
def publish_policy(
    *, slug: str, title: dict, text: dict, effective_from: date, by: str, is_quarterly: bool = False
) -> PolicyVersion:
    """Publish the next version of a policy and return it; the newest if it says the same already."""
    policy, _ = Policy.objects.get_or_create(slug=slug, defaults={"is_quarterly": is_quarterly})
    policy = Policy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
    newest, mark = policy.versions.order_by("-number").first(), fingerprint(title, text)
    if newest and newest.fingerprint == mark:
        return newest
    version = PolicyVersion.objects.create(
        policy=policy,
        number=newest.number + 1 if newest else 1,
        title=title,
        text=text,
        fingerprint=mark,
        effective_from=effective_from,
        published_at=timezone.now(),
        published_by=by,
    )
    body = {"policy": slug, "version": version.number, "fingerprint": mark, "from": effective_from.isoformat()}
    ledger.append(verb="training.policy_published", actor=by, subject="system:training", body=body)
    return version


def newest_versions(today: date, *, is_quarterly: bool = False) -> list[PolicyVersion]:
    """Return of each policy the version that holds today, by its short name. One query."""
    held: dict[int, PolicyVersion] = {}
    rows = PolicyVersion.objects.filter(effective_from__lte=today, policy__is_quarterly=is_quarterly)
    for version in rows.select_related("policy").order_by("policy__slug", "number"):
        held[version.policy_id] = version
    return list(held.values())


def to_sign(employee: Employee, today: date) -> list[PolicyVersion]:
    """Return what a person has still to sign, quarterly statements left out. Two queries; nothing for outsiders."""
    if not employee.employee_no:
        return []
    versions = newest_versions(today)
    signed = set(Attestation.objects.filter(employee=employee, version__in=versions).values_list("version", flat=True))
    return [version for version in versions if version.pk not in signed]


@dataclass(frozen=True)
class Proof:
    """That a person proved to be there: when, and by what (as allauth names it)."""

    at: datetime
    how: str


def proof_in(session: Mapping, *, has_password: bool, now: datetime) -> Proof | None:
    """Return the fresh proof in a session's authentication records, None if there is none.

    Who has a password must have given it, or a second factor, again. Who signs in elsewhere (single sign-on) cannot
    be asked again here: for them signing in counts, as long as it is fresh.
    """
    records = session.get("account_authentication_methods", [])
    proofs = [
        Proof(datetime.fromtimestamp(one["at"], UTC), one["method"])
        for one in records
        if one.get("reauthenticated") or not has_password
    ]
    fresh = [one for one in proofs if now - FRESH <= one.at <= now]
    return max(fresh, key=lambda one: one.at, default=None)


@transaction.atomic
def sign(
    *,
    employee: Employee,
    version: PolicyVersion,
    proof: Proof | None,
    language: str,
    shown: dict | None = None,
    period: str = "",
) -> Attestation:
    """Record that the person signed this version, and what was shown beside it. Signed before: that one is returned.

    Raises NotFresh and NotToSign.
    """
    now = timezone.now()
    if proof is None or not now - FRESH <= proof.at <= now:
        raise NotFresh(employee.uid)
    lock_person(employee.pk)
    told = {"employee": employee, "version": version, "period": period}
    if done := Attestation.objects.filter(**told).first():
        return done
    holding = newest_versions(timezone.localdate(now), is_quarterly=version.policy.is_quarterly)
    if version not in holding or bool(period) != version.policy.is_quarterly or not employee.employee_no:
        raise NotToSign(str(version))
    body = {
        "policy": version.policy.slug,
        "version": version.number,
        "fingerprint": version.fingerprint,
        "period": period,
        "language": language,
        "proved_at": proof.at,
        "proved_how": proof.how,
        "shown": shown or {},
    }
    entry = ledger.append(verb="training.policy_signed", actor=employee.uid, subject=employee.uid, body=body)
    fields = {"signed_at": now, "proved_at": proof.at, "proved_how": proof.how, "language": language}
    return Attestation.objects.create(**told, **fields, shown=shown or {}, entry_seq=entry.seq)


def unsigned(viewer: Employee, version: PolicyVersion, period: str = "") -> QuerySet[Employee]:
    """Return who on staff, of those whom the viewer may see, has not signed the version (for the period)."""
    signed = Attestation.objects.filter(version=version, period=period)
    people = Employee.objects.visible_to(viewer).on_staff()
    return people.exclude(pk__in=signed.values("employee")).for_list()


def signature_counts(viewer: Employee, versions: list[PolicyVersion], period: str = "") -> dict[int, int]:
    """Return {version: how many on staff, of those whom the viewer may see, have signed it}. One query."""
    people = Employee.objects.visible_to(viewer).on_staff()
    rows = Attestation.objects.filter(version__in=versions, period=period, employee__in=people)
    return dict(rows.order_by().values_list("version").annotate(Count("pk")))
