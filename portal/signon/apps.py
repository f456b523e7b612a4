from django.apps import AppConfig


class SignonConfig(AppConfig):
    name = "portal.signon"
    label = "signon"

    def ready(self) -> None:
        from portal.signon import checks  # noqa: F401  registers the system check
