"""Papers as PDF by WeasyPrint. Nothing is fetched but what lies in training/print/ or is handed over here.

Called by a worker, never by a web process: drawing takes about a second.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weasyprint.urls import URLFetcher, URLFetcherResponse

ASSETS = Path(__file__).parent / "print"
KINDS = {".css": "text/css", ".svg": "image/svg+xml"}


class CouldNotDraw(RuntimeError):
    """The PDF could not be made: something it needs is missing or forbidden."""


class AssetFetcher(URLFetcher):
    """Serves ``asset:<name>`` from training/print/ and from what was handed over, and refuses everything else."""

    def __init__(self, made: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols={"asset"}, allow_redirects=False, fail_on_errors=True)
        self.made = made

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        scheme, _colon, name = url.partition(":")
        if scheme.lower() != "asset":
            raise ValueError(f"{scheme}: is not fetched")
        kind = {"Content-Type": KINDS.get(Path(name).suffix, "application/octet-stream")}
        if name in self.made:
            return URLFetcherResponse(url, self.made[name], kind)
        path = (ASSETS / name).resolve()
        if not path.is_relative_to(ASSETS.resolve()):
            raise ValueError(f"{name} lies outside")
        return URLFetcherResponse(url, path.read_bytes(), kind)
