"""What people rely on is compared with the evidence log by every verification of it: see portal.ledger.rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from django.db.models import Model

from portal.ledger.rows import Row, Table
from portal.ledger.rules import timestamp
from training import evidence, said
from training.models import Attestation, Certificate, Completion, Exemption, ModuleResult


def _completions(people: Collection[str]) -> Iterator[Row]:
    rows = Completion.objects.filter(employee__uid__in=people)
    columns = (
        "employee__uid", "assignment__course__slug", "assignment__cycle", "edition__number", "completed_at",
        "expires_on", "percent", "study_seconds", "origin", "origin_file", "assignment__employee__uid",
        "edition__course__slug",
    )  # fmt: skip
    for who, course, cycle, edition, at, until, percent, seconds, origin, file, owes, of in rows.values_list(*columns):
        fields = {
            "edition": edition if (who, course) == (owes, of) else None,
            "completed_at": timestamp(at),
            "expires_on": until.isoformat(),
            "percent": percent,
            "study_seconds": seconds,
            "origin": origin,
            "file": file,
        }
        yield Row(who, (course, str(cycle)), fields)


def _modules(people: Collection[str]) -> Iterator[Row]:
    rows = ModuleResult.objects.filter(assignment__employee__uid__in=people)
    columns = ("assignment__employee__uid", "assignment__course__slug", "assignment__cycle", "module__slug", "percent")
    for who, course, cycle, module, percent, attempt in rows.values_list(*columns, "attempt__uid"):
        yield Row(who, (course, str(cycle), module), {"percent": percent, "attempt": attempt})


def _exemptions(people: Collection[str]) -> Iterator[Row]:
    seen: defaultdict[str, Counter] = defaultdict(Counter)
    rows = Exemption.objects.filter(employee__uid__in=people).order_by("pk")
    columns = ("employee__uid", "course__slug", "starts_on", "ends_on", "reason", "approved_by__uid")
    for who, course, starts_on, ends_on, reason, approved_by in rows.values_list(*columns):
        key = said.exemption_key(course, starts_on.isoformat(), ends_on.isoformat(), seen[who])
        yield Row(who, key, {"reason": reason, "approved_by": approved_by})


def _signatures(people: Collection[str]) -> Iterator[Row]:
    rows = Attestation.objects.filter(employee__uid__in=people).select_related("employee", "version__policy")
    for row in rows.defer("version__title", "version__text"):
        fields = {
            "fingerprint": row.version.fingerprint,
            "language": row.language,
            "signed_at": row.signed_at,
            "proved_at": timestamp(row.proved_at),
            "proved_how": row.proved_how,
            "shown": row.shown,
            "entry": row.entry_seq,
        }
        yield Row(row.employee.uid, (row.version.policy.slug, str(row.version.number), row.period), fields)


def _certificates(people: Collection[str]) -> Iterator[Row]:
    rows = Certificate.objects.filter(completion__employee__uid__in=people)
    tables = ("completion__employee", "completion__assignment__course", "superseded_by", "signed_by")
    columns = (
        "serial", "facts", "evidence", "issued_at", "sha256", "revoked_at", "revoked_for", "revoked_why",
        "superseded_for", "superseded_by__serial", "signed_by__fingerprint", "completion__employee__uid",
        "completion__assignment__cycle", "completion__assignment__course__slug",
    )  # fmt: skip
    for row in rows.select_related(*tables).only(*columns):
        fields = {
            "facts": row.facts,
            "evidence": evidence.digest(row.serial, row.facts, _earned(row)),
            "issued_at": row.issued_at,
            "sha256": row.sha256,
            "key": row.signed_by.fingerprint if row.signed_by else "",
            "revoked_at": row.revoked_at,
            "revoked_for": row.revoked_for,
            "revoked_why": row.revoked_why,
            "replaced_by": row.superseded_by.serial if row.superseded_by else "",
            "replaced_for": row.superseded_for,
        }
        yield Row(row.completion.employee.uid, (row.serial,), fields)


def _earned(row: Certificate) -> dict:
    """Return the certificate's evidence with the course and cycle of the completion that its row names."""
    told = row.evidence
    if not {"course", "completion"} <= told.keys():
        return told
    assignment = row.completion.assignment
    course, completion = {"slug": assignment.course.slug}, {"cycle": assignment.cycle}
    return told | {"course": told["course"] | course, "completion": told["completion"] | completion}


def _owners(model: type[Model], path: str) -> Callable[[], Iterable[str]]:
    return lambda: model._default_manager.order_by().values_list(path, flat=True).distinct().iterator()


COMPLETIONS = Table(
    "completion",
    (said.COMPLETED, said.IMPORTED),
    (),
    said.completions,
    _completions,
    _owners(Completion, "employee__uid"),
)
MODULES = Table(
    "module", (said.PASSED,), (), said.modules, _modules, _owners(ModuleResult, "assignment__employee__uid")
)
EXEMPTIONS = Table("exemption", (said.EXEMPTED,), (), said.exemptions, _exemptions, _owners(Exemption, "employee__uid"))
SIGNATURES = Table(
    "signature", (said.POLICY_SIGNED,), (), said.signatures, _signatures, _owners(Attestation, "employee__uid")
)
CERTIFICATES = Table(
    "certificate",
    (said.ISSUED,),
    (said.SIGNED, said.REVOKED, said.REPLACED),
    said.certificates,
    _certificates,
    _owners(Certificate, "completion__employee__uid"),
)
