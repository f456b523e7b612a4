from django.contrib import admin

from portal.evidence.models import Pack
from portal.ledger.admin import ReadOnlyAdmin


@admin.register(Pack)
class PackAdmin(ReadOnlyAdmin):
    list_display = ("uid", "scope", "day", "state", "asked_by", "asked_at", "decided_by", "made_at")
    list_filter = ("scope", "state")
