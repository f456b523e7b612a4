from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path, re_path

from portal import views

handler500 = "portal.views.server_error"

# Only the doors that this site has: addresses come from HR, so there is no page to sign up or to manage them.
accounts = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("signup/", account.signup, name="account_signup"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("", include("portal.operations.urls")),
    path("accounts/", include(accounts)),
    path("admin/", admin.site.urls),
    path("", include("portal.people.urls")),
    path("", include("portal.jobs.urls")),
    path("", include("portal.hr.urls")),
    path("", include("portal.scim.urls")),
    path("", include("portal.signon.urls")),
    path("", include("portal.ledger.urls")),
    path("", include("quizzes.urls")),
    path("", include("training.urls")),
    path("", include("archive.urls")),
    path("", include("portal.standing.urls")),
    path("", include("portal.reminders.urls")),
    path("", include("portal.evidence.urls")),
]
