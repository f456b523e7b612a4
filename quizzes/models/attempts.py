from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from portal.people.models import Employee, opaque_id
from quizzes.grading import WHOLE
from quizzes.models.questions import Question, Quiz


class ExtraTimeQuerySet(models.QuerySet):
    def on(self, day) -> "ExtraTimeQuerySet":
        """Those that hold on a day."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)

    def visible_to(self, viewer: Employee) -> "ExtraTimeQuerySet":
        """One's own; everybody's for who may grant it. The reason may be about health."""
        if not viewer.is_active:
            return self.none()
        return self if viewer.has_perm("quizzes.grant_extra_time") else self.filter(employee=viewer)


class ExtraTime(models.Model):
    """Somebody gets more time in every quiz that has a limit. Granted by somebody else, ended rather than deleted."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="extra_time")
    percent = models.PositiveSmallIntegerField(help_text="Added to the time limit: 25 makes 10 minutes 12½")
    reason = models.CharField(max_length=300)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="extra_time_approved")
    approved_at = models.DateTimeField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="The last day of it. Empty: until it is ended")

    objects = ExtraTimeQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "extra time"
        permissions: ClassVar = [("grant_extra_time", "Can grant people more time in quizzes")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(percent__gte=1, percent__lte=300), name="quizzes_extra_time_is_a_share"),
            models.CheckConstraint(
                condition=~Q(employee=F("approved_by")), name="quizzes_extra_time_is_not_granted_to_oneself"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="quizzes_extra_time_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent}% more for {self.employee_id}"


class AttemptQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "AttemptQuerySet":
        """Only the person who made it: answers are nobody else's business, the outcome is."""
        return self.filter(employee=viewer) if viewer.is_active else self.none()

    def reviewable_by(self, viewer: Employee) -> "AttemptQuerySet":
        """Those that were handed in, for who may review them. Each look is an Entry: services.look_at()."""
        if not viewer.is_active or not viewer.has_perm("quizzes.review_attempts"):
            return self.none()
        return self.submitted().filter(employee__in=Employee.objects.visible_to(viewer))

    def open(self) -> "AttemptQuerySet":
        return self.filter(submitted_at__isnull=True)

    def submitted(self) -> "AttemptQuerySet":
        return self.filter(submitted_at__isnull=False)


class Attempt(models.Model):
    """One try at a quiz. Its Responses freeze what was shown; graded once, when submitted."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    quiz = models.ForeignKey(Quiz, models.PROTECT, related_name="attempts")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField(help_text="1 for a person's first try at this quiz")
    seed = models.CharField(max_length=64, help_text="Draws the same questions in the same order again")
    language = models.CharField(max_length=10, help_text="Of the page when it was begun")
    languages = models.JSONField(
        default=list, blank=True, help_text="In which every question can be told. Empty: begun before this was kept"
    )
    paper_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of all that was frozen, see starting.paper_sha256. Empty: begun before"
    )
    pass_percent = models.PositiveSmallIntegerField(help_text="The mark when it was begun")
    extra_percent = models.PositiveSmallIntegerField(default=0, help_text="Time added to the limit, for this person")
    started_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no time limit")
    submitted_at = models.DateTimeField(null=True, blank=True, help_text="Empty: still open")
    timed_out = models.BooleanField(default=False, help_text="It ended because its time was up")
    right = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: not graded")
    percent = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: not graded")
    passed = models.BooleanField(null=True, blank=True, help_text="Empty: not graded")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("review_attempts", "Can look at what others were asked and answered")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quiz", "employee", "number"], name="quizzes_attempt_number_once"),
            models.UniqueConstraint(
                fields=["quiz", "employee"],
                condition=Q(submitted_at__isnull=True),
                name="quizzes_attempt_one_open_per_person",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None, percent=None, right=None, passed=None)
                | Q(submitted_at__isnull=False, percent__isnull=False, right__isnull=False, passed__isnull=False),
                name="quizzes_attempt_graded_when_submitted",
            ),
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__lte=100), name="quizzes_attempt_percent_to_100"
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(submitted_at__gte=F("started_at")),
                name="quizzes_attempt_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(closes_at=None) | Q(closes_at__gt=F("started_at")),
                name="quizzes_attempt_closes_after_it_starts",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["employee", "quiz", "submitted_at"], name="quizzes_attempt_of_person"),
            models.Index(
                fields=["closes_at"],
                condition=Q(submitted_at__isnull=True, closes_at__isnull=False),
                name="quizzes_attempt_running_out",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quiz} try {self.number}"

    @property
    def is_open(self) -> bool:
        return self.submitted_at is None


class Showing(models.Model):
    """The paper was put before its person: when, in which language, on which device.

    Written when it first is, and when language or device are others than the last time. So what was shown in which
    language is told at every moment. ``device`` is a keyed hash of the session: it tells two devices apart, no more.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="showings")
    language = models.CharField(max_length=10)
    device = models.CharField(max_length=16, blank=True, help_text="Empty: not known")
    shown_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.attempt_id} in {self.language}"


class Response(models.Model):
    """A question as an attempt showed it, and what was answered.

    ``order`` lists the ids of options and other parts as shown; ``tokens`` maps the opaque id that the page used to
    each, so that nothing on the page sorts by correctness. ``answer`` holds what was answered in the shape that the
    question's kind gives it (quizzes/kinds); None: not answered. ``points`` and ``must_pass`` are the question's, as
    shown. ``revision`` counts the changes of the answer: a form that knows an older one is out of date.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="responses")
    position = models.PositiveSmallIntegerField()
    question = models.ForeignKey(Question, models.PROTECT, related_name="responses")
    order = models.JSONField()
    tokens = models.JSONField()
    points = models.PositiveSmallIntegerField(default=1)
    must_pass = models.BooleanField(default=False)
    answer = models.JSONField(null=True, blank=True, help_text="Empty: not answered")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not answered")
    is_complete = models.BooleanField(default=False, help_text="Nothing is left to do in it")
    revision = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(null=True, blank=True, help_text="Last change, clearing too. Empty: never touched")
    spent_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Milliseconds, see grading.spent. Empty: not known"
    )
    language = models.CharField(max_length=10, blank=True, help_text="Of the page at the last change")
    device = models.CharField(max_length=16, blank=True, help_text="As Showing.device, at the last change")
    is_counted = models.BooleanField(default=True, help_text="False: withdrawn before the attempt was graded")
    is_right = models.BooleanField(null=True, blank=True, help_text="Empty: not graded")
    credit = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Ten-thousandths of the points, rounded down. Empty: not graded"
    )

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "position"], name="quizzes_response_position_once"),
            models.UniqueConstraint(fields=["attempt", "question"], name="quizzes_response_question_once"),
            models.CheckConstraint(
                condition=Q(answer__isnull=True, answered_at__isnull=True)
                | Q(answer__isnull=False, answered_at__isnull=False),
                name="quizzes_response_answered_when_chosen",
            ),
            models.CheckConstraint(
                condition=Q(is_right=None, credit=None)
                | Q(is_right__isnull=False, credit__isnull=False, is_right=True, credit=WHOLE)
                | Q(is_right__isnull=False, credit__isnull=False, is_right=False, credit__lt=WHOLE),
                name="quizzes_response_right_when_it_earns_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.attempt_id}"


class Printout(models.Model):
    """An attempt as a file, as it was shown and graded. Drawn once; what it holds never changes."""

    attempt = models.OneToOneField(Attempt, models.PROTECT, related_name="printout")
    job = models.OneToOneField("jobs.Job", models.PROTECT, related_name="quiz_printout")
    file = models.FileField(upload_to="papers", blank=True, help_text="Empty: not drawn yet")
    sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not drawn yet")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(file="", sha256="", made_at=None)
                | (Q(made_at__isnull=False) & ~Q(file="") & ~Q(sha256="")),
                name="quizzes_printout_file_with_its_hash",
            )
        ]

    def __str__(self) -> str:
        return f"print of {self.attempt_id}"
