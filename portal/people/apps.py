from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate

OURS = {"people", "ledger", "jobs", "hr", "scim", "quizzes", "training", "archive", "standing", "evidence"}


def sync_roles_after_migrate(sender, **kwargs) -> None:
    from portal.people.roles import sync_roles

    if sender.label in OURS:
        sync_roles()


def begin_session(sender, request, **kwargs) -> None:
    from portal.people.sessions import begin

    begin(request)


class PeopleConfig(AppConfig):
    name = "portal.people"

    def ready(self) -> None:
        post_migrate.connect(sync_roles_after_migrate, dispatch_uid="people.sync_roles")
        user_logged_in.connect(begin_session)
        from allauth.account.signals import password_changed, password_reset, password_set

        from portal.people.sessions import end_others

        for signal in (password_changed, password_reset, password_set):
            signal.connect(end_others)
