from django.apps import AppConfig
from django.db.models.signals import post_migrate

OURS = {"people", "ledger", "jobs", "hr", "scim", "quizzes", "training", "archive", "standing", "evidence"}


def sync_roles_after_migrate(sender, **kwargs) -> None:
    from portal.people.roles import sync_roles

    if sender.label in OURS:
        sync_roles()


class PeopleConfig(AppConfig):
    name = "portal.people"

    def ready(self) -> None:
        post_migrate.connect(sync_roles_after_migrate, dispatch_uid="people.sync_roles")
