"""What the site stands on, alone or outgrown: broker, cache and file storage as Django and Celery want them told.

Alone: files and the database, nothing to install. Outgrown: Redis and a bucket, shared by many machines.
"""

from pathlib import Path

from kombu import Exchange, Queue

QUICK, IMPORTS, CERTIFICATES, MAIL = "quick", "imports", "certificates", "mail"

# What does not stand here is quick. Imports: all that reads or writes very much, so that it never keeps the rest.
ROUTES = {
    "archive.tasks.run_import": IMPORTS,
    "archive.tasks.judge_deliveries": IMPORTS,
    "archive.tasks.judge_state": IMPORTS,
    "archive.tasks.rematch": IMPORTS,
    "archive.tasks.try_lexicon": IMPORTS,
    "archive.tasks.count_disposal": IMPORTS,
    "archive.tasks.dispose": IMPORTS,
    "archive.tasks.verify_archive": IMPORTS,
    "portal.hr.tasks.compare": IMPORTS,
    "portal.hr.tasks.apply": IMPORTS,
    "portal.ledger.tasks.verify": IMPORTS,
    "quizzes.tasks.analyse": IMPORTS,
    "quizzes.tasks.regrade": IMPORTS,
    "quizzes.tasks.look_for_signals": IMPORTS,
    "training.tasks.run_rules": IMPORTS,
    "training.tasks.settle_recall": IMPORTS,
    "portal.evidence.tasks.make_pack": CERTIFICATES,
    "training.tasks.render_certificate": CERTIFICATES,
    "training.tasks.export_certificates": CERTIFICATES,
    "training.tasks.print_attempt": CERTIFICATES,
    "portal.ledger.tasks.deliver": MAIL,
    "portal.standing.tasks.send_nudge": MAIL,
    "portal.standing.tasks.send_nudges": MAIL,
    "training.tasks.tell_recalled": MAIL,
}


def queues() -> list[Queue]:
    """Return every queue. A worker that is told none listens at all of them."""
    return [Queue(name, Exchange(name), routing_key=name) for name in (QUICK, IMPORTS, CERTIFICATES, MAIL)]


def routes() -> dict[str, dict[str, str]]:
    return {task: {"queue": queue, "routing_key": queue} for task, queue in ROUTES.items()}


def caches(redis_url: str) -> dict[str, dict]:
    """Return the cache. It is shared by all processes, as rate limits need; in memory each would count for itself."""
    in_database = {
        "BACKEND": "portal.caching.FrankDatabaseCache",
        "LOCATION": "portal_cache",
        # The default of 300 rows would let anybody wash the counters of sign-in away by filling it.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
    if not redis_url:
        return {"default": in_database}
    in_redis = {
        "BACKEND": "portal.caching.SteadyRedisCache",
        "LOCATION": redis_url,
        "KEY_PREFIX": "onchannel",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
    return {"default": in_redis, "stand-in": in_database}


def broker(redis_url: str, folder: Path) -> tuple[str, dict]:
    """Return the broker's address and its options; without Redis it is a folder, which is made."""
    if redis_url:
        # Publishing must fail soon rather than keep a request: the sweeper rings again.
        return redis_url, {"socket_connect_timeout": 2, "socket_timeout": 5, "visibility_timeout": 2 * 3600}
    places = {"data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control"}
    for name in places.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    # A folder must be looked into again and again: by default once a second, and one ring is taken at each look.
    return "filesystem://", {option: str(folder / name) for option, name in places.items()} | {"polling_interval": 0.1}


def files_on_disk(folder: Path) -> dict:
    options = {
        "location": folder,
        "base_url": None,
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    }
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}


def files_in_bucket(*, bucket: str, endpoint: str, region: str, key_id: str, secret: str) -> dict:
    """Return a storage of private objects. Nothing is handed out by address: every file goes through a view."""
    options = {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": region,
        "access_key": key_id,
        "secret_key": secret,
        "addressing_style": "path" if endpoint else "auto",
        "default_acl": None,  # as the bucket says, which is private
        "file_overwrite": False,
        "max_memory_size": 16 * 2**20,  # larger ones are read by way of the disk
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
