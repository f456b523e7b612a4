from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import run

from training import preview_site


class Command(BaseCommand):
    help = (
        "Show a course's folder as it would be read, on this machine only, with its mistakes in place. The page loads "
        "itself again when a file changes. Nothing is published, and no database is needed. Ctrl-C ends it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = Path(settings.COURSES_DIR) / "wechat-archiving"
        parser.add_argument("folder", nargs="?", type=Path, default=default, metavar="DIR", help="a course's folder")
        parser.add_argument("--port", type=int, default=8010)

    def handle(self, *args, folder: Path, port: int, **options) -> None:
        if not (folder / "course.yaml").is_file():
            raise CommandError(f"{folder} is no course's folder: there is no course.yaml in it.")
        self.stdout.write(f"http://127.0.0.1:{port}/ shows {folder}. Ctrl-C ends it.")
        self.stdout.flush()
        run("127.0.0.1", port, application(folder), threading=True)


def application(folder: Path) -> StaticFilesHandler:
    """Return the little site. It takes the place of the portal in this process."""
    settings.PREVIEW_FOLDER = str(folder.resolve())
    settings.ROOT_URLCONF = preview_site.__name__
    settings.MIDDLEWARE = preview_site.MIDDLEWARE
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    settings.CSRF_COOKIE_SECURE = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    return StaticFilesHandler(WSGIHandler())
