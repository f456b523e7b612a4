from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Department, Employee, opaque_id


class PackQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "PackQuerySet":
        """All of them for who may make packs: whoever is to approve one must see it."""
        return self if viewer.is_active and viewer.has_perm("evidence.make_packs") else self.none()

    def downloadable_by(self, viewer: Employee) -> "PackQuerySet":
        """Those that are ready, for who asked for them and who approved them."""
        mine = Q(asked_by=viewer) | Q(decided_by=viewer, state=Pack.State.READY)
        return self.visible_to(viewer).filter(mine).exclude(file="")


class Pack(models.Model):
    """Evidence about a person, a department or the firm, as at a day, to be given to a stranger.

    asked: somebody else must approve it · refused · making: its job works on it · ready: it can be fetched ·
    forgotten: its file is gone, and can be asked for again.
    """

    class Scope(models.TextChoices):
        PERSON = "person", _("one person")
        DEPARTMENT = "department", _("a department and all below it")
        FIRM = "firm", _("the whole firm")

    class State(models.TextChoices):
        ASKED = "asked", _("to be approved")
        REFUSED = "refused", _("refused")
        MAKING = "making", _("being made")
        READY = "ready", _("ready")
        FORGOTTEN = "forgotten", _("file deleted")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    scope = models.CharField(max_length=10, choices=Scope)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: more than one"
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, related_name="+", help_text="NULL: a person, or the firm"
    )
    day = models.DateField(help_text="As at the end of this day, or of the moment of asking if it was that day")
    upto = models.PositiveBigIntegerField(help_text="The last Entry that counts")
    as_at = models.DateTimeField(help_text="The moment of which it speaks")
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=10, choices=State)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="packs")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: nobody had to, or has"
    )
    decided_at = models.DateTimeField(null=True, help_text="NULL: nobody had to, or has")
    decided_why = models.CharField(max_length=500, blank=True)
    job = models.OneToOneField("jobs.Job", models.PROTECT, null=True, related_name="pack", help_text="NULL: not begun")
    file = models.FileField(upload_to="packs", blank=True, help_text="Empty: not ready, or deleted")
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes")
    figures = models.JSONField(default=dict, blank=True, help_text="{people, entries, rows, seal}: what is in it")
    made_at = models.DateTimeField(null=True, help_text="NULL: not ready")

    objects = PackQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        permissions: ClassVar = [("make_packs", "Can make evidence packs, and approve those of others")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(scope="person", person__isnull=False, department=None)
                | Q(scope="department", person=None, department__isnull=False)
                | Q(scope="firm", person=None, department=None),
                name="evidence_pack_is_about_what_its_scope_says",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="evidence_pack_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None, decided_at=None) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="evidence_pack_decided_by_and_at",
            ),
            models.CheckConstraint(
                condition=~Q(scope="firm") | Q(state="asked") | Q(decided_by__isnull=False),
                name="evidence_pack_of_the_firm_is_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state="ready") & ~Q(file="") | ~Q(state="ready") & Q(file=""),
                name="evidence_pack_ready_has_its_file",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "made_at"], name="evidence_pack_by_state")]

    def __str__(self) -> str:
        return self.uid

    @property
    def needs_approval(self) -> bool:
        return self.scope == self.Scope.FIRM
