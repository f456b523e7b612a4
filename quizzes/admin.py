from typing import ClassVar

from django.contrib import admin

from portal.ledger.admin import ReadOnlyAdmin
from quizzes.models import Attempt, Bank, Question, Quiz


@admin.register(Bank)
class BankAdmin(ReadOnlyAdmin):
    list_display = ("slug",)
    search_fields = ("slug",)


@admin.register(Question)
class QuestionAdmin(ReadOnlyAdmin):
    list_display = ("slug", "version", "bank", "kind", "difficulty", "state", "withdrawn_at", "created_at")
    list_filter = ("bank", "kind", "difficulty", "state")
    search_fields = ("slug",)
    list_select_related = ("bank",)


@admin.register(Quiz)
class QuizAdmin(ReadOnlyAdmin):
    list_display = ("slug", "draw", "pass_percent", "tries_before_wait", "wait_minutes", "time_limit_minutes")
    search_fields = ("slug",)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """The outcome only: answers belong to the person, and the seed would tell an open attempt's questions."""

    fields: ClassVar = [
        "uid", "quiz", "employee", "number", "language", "pass_percent",
        "started_at", "closes_at", "extra_percent", "submitted_at", "timed_out", "right", "percent", "passed",
    ]  # fmt: skip
    list_display = ("uid", "quiz", "employee", "number", "started_at", "submitted_at", "percent", "passed")
    list_filter = ("passed",)
    search_fields = ("=uid",)
    list_select_related = ("quiz", "employee")
