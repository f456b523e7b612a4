from django.contrib import admin

from portal.ledger.models import Entry


class ReadOnlyAdmin(admin.ModelAdmin):
    """Evidence may be looked at in the admin, never changed."""

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "verb", "actor", "subject")
    list_filter = ("verb",)
    search_fields = ("=seq", "=actor", "=subject")
