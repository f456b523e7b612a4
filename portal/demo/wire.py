"""What the first load of a page brings over the wire: requests, and bytes of headers and bodies, compressed as sent."""

import re

from django.http import HttpResponse
from django.test import Client

from portal.people.models import Employee

LOADED = re.compile(r"""<(?:link rel="(?:stylesheet|icon)"[^>]*href|script src)="([^"]+)""")
FONT = re.compile(r"@font-face|\.woff2?\b|\.ttf\b")


def first_load(path: str, email: str) -> dict:
    """Ask for the page and everything that it names, as a browser does that was never here.

    Style sheets that import others and fonts would be further requests: ``fonts`` counts those that are named.
    """
    client = Client(HTTP_HOST="localhost", headers={"accept-encoding": "gzip"})
    client.force_login(Employee.objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(path)
    parts = [client.get(address) for address in LOADED.findall(page.content.decode())]
    plain = Client(HTTP_HOST="localhost")
    texts = [_body(plain.get(address)).decode() for address in LOADED.findall(page.content.decode())]
    return {
        "page": path,
        "requests": 1 + len(parts),
        "kb": round(sum(_bytes(response) for response in [page, *parts]) / 1024, 1),
        "fonts": sum(len(FONT.findall(text)) for text in texts),
    }


def _body(response: HttpResponse) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def _bytes(response: HttpResponse) -> int:
    headers = sum(len(f"{name}: {value}\r\n") for name, value in response.items())
    return len(_body(response)) + headers
