from django.apps import AppConfig


class StandingConfig(AppConfig):
    name = "portal.standing"

    def ready(self) -> None:
        from portal.standing import checks  # noqa: F401  registers the system checks
