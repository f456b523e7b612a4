from django.contrib import admin

from portal.jobs.models import Job
from portal.ledger.admin import ReadOnlyAdmin


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("kind", "state", "done", "total", "attempts", "created_at", "ended_at", "error")
    list_filter = ("kind", "state")
