from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from portal.ledger.admin import ReadOnlyAdmin
from portal.people.models import Department, Employee, Office, Tag

# The admin's own sign-in would be a door without rate limits.
admin.site.login = secure_admin_login(admin.site.login)
# Rights and addresses are changed by services that leave an Entry, not by hand.
for model in (Group, EmailAddress, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Employee)
class EmployeeAdmin(ReadOnlyAdmin):
    """People are changed by HR's file and by services; here they can be looked up."""

    list_display = ("employee_no", "name_en", "name_zh", "department", "office", "is_active")
    list_select_related = ("department", "office")
    list_filter = ("office", "is_active", "groups")
    search_fields = ("employee_no", "name_en", "name_zh", "email")
    exclude = ("password",)


admin.site.register([Office, Department, Tag], ReadOnlyAdmin)
