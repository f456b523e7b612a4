from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


def install_guards_after_migrate(sender, using, **kwargs) -> None:
    from portal.ledger import guards

    guards.install(connections[using])


class LedgerConfig(AppConfig):
    name = "portal.ledger"

    def ready(self) -> None:
        from portal.ledger import guards  # noqa: F401  registers the system check

        post_migrate.connect(install_guards_after_migrate, sender=self, dispatch_uid="ledger.install_guards")
