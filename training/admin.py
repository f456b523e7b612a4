from typing import ClassVar

from django.contrib import admin

from portal.ledger.admin import ReadOnlyAdmin
from training.assignments import set_rule
from training.models import (
    Assignment,
    Attestation,
    Certificate,
    CertificateExport,
    Completion,
    Edition,
    Exemption,
    ExportPart,
    Module,
    ModuleResult,
    PolicyVersion,
    Rule,
    RuleVersion,
    SigningKey,
    StatusList,
)


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):
    """The plainest of a rule may be changed here; all of it on the page of rules. A rule is ended, never deleted."""

    list_display = ("name", "course", "version", "due_days", "starts_on", "is_active")
    list_select_related = ("course",)
    fields = ("name", "course", "due_days", "starts_on", "is_active")

    def get_readonly_fields(self, request, obj=None) -> tuple[str, ...]:
        return ("name", "course") if obj else ()

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    def save_model(self, request, obj: Rule, form, change: bool) -> None:
        saved = set_rule(
            course=obj.course,
            name=obj.name,
            due_days=obj.due_days,
            starts_on=obj.starts_on,
            is_active=obj.is_active,
            by=request.user.uid,
        )
        obj.pk = saved.pk


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    list_display = ("rule", "number", "made_at", "made_by")
    list_select_related = ("rule",)


@admin.register(Attestation)
class AttestationAdmin(ReadOnlyAdmin):
    list_display = ("employee", "version", "period", "signed_at", "proved_how")
    list_select_related = ("employee", "version__policy")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    list_display = ("policy", "number", "effective_from", "published_at", "fingerprint")
    list_select_related = ("policy",)


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    list_display = ("course", "number", "published_at", "fingerprint")
    list_select_related = ("course",)


@admin.register(Module)
class ModuleAdmin(ReadOnlyAdmin):
    list_display = ("slug", "edition", "position", "quiz")
    list_select_related = ("edition__course", "quiz")


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ("employee", "course", "cycle", "assigned_on", "due_on", "edition", "rule")
    list_filter = ("course",)
    list_select_related = ("employee", "course", "edition__course", "rule")
    search_fields = ("employee__name_en", "employee__name_zh", "=employee__employee_no")


@admin.register(Exemption)
class ExemptionAdmin(ReadOnlyAdmin):
    list_display = ("employee", "course", "starts_on", "ends_on", "approved_by")
    list_select_related = ("employee", "course", "approved_by")


@admin.register(ModuleResult)
class ModuleResultAdmin(ReadOnlyAdmin):
    """The outcome; the answers belong to the person."""

    fields: ClassVar = ["assignment", "module", "percent", "passed_at"]
    list_display = ("assignment", "module", "percent", "passed_at")
    list_select_related = ("assignment__course", "module")


@admin.register(Completion)
class CompletionAdmin(ReadOnlyAdmin):
    list_display = ("employee", "edition", "completed_at", "expires_on", "percent", "study_seconds")
    list_select_related = ("employee", "edition__course")
    search_fields = ("employee__name_en", "employee__name_zh", "=employee__employee_no")


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ("serial", "issued_at", "revoked_at", "superseded_by", "sha256")
    list_select_related = ("superseded_by",)
    search_fields = ("=serial",)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = ("fingerprint", "begun_at")


@admin.register(StatusList)
class StatusListAdmin(ReadOnlyAdmin):
    list_display = ("number", "made_at", "is_stale")


@admin.register(ExportPart)
class ExportPartAdmin(ReadOnlyAdmin):
    list_display = ("export", "number", "count", "size", "sha256")
    list_select_related = ("export",)


@admin.register(CertificateExport)
class CertificateExportAdmin(ReadOnlyAdmin):
    list_display = ("uid", "asked_by", "asked_at", "count")
    list_select_related = ("asked_by",)
