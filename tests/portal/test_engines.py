"""What the site stands on: queues, and files in a bucket as they are on a disk."""

import hashlib
import io

import boto3
import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from moto.server import ThreadedMotoServer

from portal import engines
from training import files


def test_every_routed_task_exists_and_beat_rings_only_what_exists(settings):
    current_app.loader.import_default_modules()
    known = current_app.tasks.keys()
    assert engines.ROUTES.keys() - known == set()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} - known == set()
    assert set(engines.ROUTES.values()) < {queue.name for queue in engines.queues()}


def test_a_task_without_a_route_is_quick():
    assert current_app.amqp.router.route({}, "portal.jobs.tasks.sweep")["queue"].name == engines.QUICK
    assert current_app.amqp.router.route({}, "archive.tasks.run_import")["queue"].name == engines.IMPORTS


@pytest.fixture(scope="module")
def bucket_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(bucket_server, settings):
    client = boto3.client(
        "s3",
        endpoint_url=bucket_server,
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket="files")
    files_there = engines.files_in_bucket(
        bucket="files", endpoint=bucket_server, region="us-east-1", key_id="id", secret="secret"
    )
    settings.STORAGES = {**settings.STORAGES, "default": files_there}
    yield client
    for one in client.list_objects_v2(Bucket="files").get("Contents", []):
        client.delete_object(Bucket="files", Key=one["Key"])
    client.delete_bucket(Bucket="files")
    client.close()


def test_a_certificate_is_put_into_the_bucket_and_checked_when_it_comes_back(bucket):
    made = files.workshop() / "one.pdf"
    made.write_bytes(b"%PDF-1.7 one")
    digest = files.put_in_place(made, "certificates/one.pdf")
    assert digest == hashlib.sha256(b"%PDF-1.7 one").hexdigest()
    assert not made.exists()
    with files.open_checked("certificates/one.pdf", digest) as stream:
        assert stream.read() == b"%PDF-1.7 one"
    bucket.put_object(Bucket="files", Key="certificates/one.pdf", Body=b"%PDF-1.7 two")
    with pytest.raises(files.Changed):
        files.open_checked("certificates/one.pdf", digest)


def test_drawn_anew_it_stands_under_the_same_name(bucket):
    for text in (b"first", b"second"):
        made = files.workshop() / "one.pdf"
        made.write_bytes(text)
        files.put_in_place(made, "certificates/one.pdf")
    listed = bucket.list_objects_v2(Bucket="files")["Contents"]
    assert [one["Key"] for one in listed] == ["certificates/one.pdf"]
    assert bucket.get_object(Bucket="files", Key="certificates/one.pdf")["Body"].read() == b"second"


def test_a_feed_is_read_as_a_stream_and_gone_when_it_is_deleted(bucket):
    lines = b"".join(b'{"line": %d}\n' % n for n in range(50_000))
    name = default_storage.save("feeds/one.feed", ContentFile(lines))
    with default_storage.open(name, "rb") as stream:
        assert io.BufferedReader(stream).readline() == b'{"line": 0}\n'
    assert default_storage.save("feeds/one.feed", ContentFile(b"x")) != name  # nothing is written over
    default_storage.delete(name)
    assert not default_storage.exists(name)


def test_the_bucket_hands_nothing_out_to_whoever_knows_an_address(bucket):
    name = default_storage.save("feeds/one.feed", ContentFile(b"x"))
    assert "Signature" in default_storage.url(name)  # no public object: an address would have to be signed by us
