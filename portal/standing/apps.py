from django.apps import AppConfig


class StandingConfig(AppConfig):
    name = "portal.standing"
