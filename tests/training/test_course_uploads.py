"""A course's folder as a ZIP: hostile ones are refused in words; good ones are shown, and another author publishes."""

import io
import stat
import struct
import zipfile

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.training.samples import CHECK
from tests.training.test_load_courses import FRONT, course_files, packed
from training import course_uploads, course_zips
from training.course_zips import BadZip
from training.models import CourseUpload, Edition, MaterialChange

LIST = reverse("training:upload_list")
LESSON = "01-first/en/01-words.md"


@pytest.fixture
def author(make_employee):
    return make_employee(roles=("Author",), name_en="Ann Author")


@pytest.fixture
def other(make_employee):
    return make_employee(roles=("Author",), name_en="Otto Other")


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("course.yaml", "slug: x")
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def link(name: str, mode: int = stat.S_IFLNK) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr = 3, (mode | 0o777) << 16
    return member


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no zip at all", "no ZIP that can be read"),
        (b"PK\x05\x06" + b"\0" * 18, "nothing in it"),
        (packed()[:-300], "no ZIP that can be read"),
        (zipped(("../evil.md", b"x")), "points outside"),
        (zipped(("/etc/passwd", b"x")), "points outside"),
        (zipped(("01-first\\..\\..\\x.md", b"x")), "points outside"),
        (zipped(("C:/x.md", b"x")), "points outside"),
        (zipped(("01-first/./module.yaml", b"x")), "points outside"),
        (zipped((link("sources.yaml"), b"/etc/passwd")), "a link or a device"),
        (zipped((link("sources.yaml", stat.S_IFIFO), b"")), "a link or a device"),
        (zipped(("run.sh", b"rm")), "no part of a course folder"),
        (zipped(("01-first/en/deeper/01-x.md", b"x")), "no part of a course folder"),
        (zipped(("01-first/en/01-x.md", b"a" * 5_000_000)), "times its size"),
        (packed({"README.md": "x"}), "no course.yaml"),
        (b"\0" * (course_zips.ZIP_MOST + 1), "larger than"),
    ],
)
def test_hostile_and_broken_zips_are_refused_in_words(data, why):
    with pytest.raises(BadZip, match=why):
        course_zips.files_in(data)


def test_a_name_that_is_there_twice_is_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("course.yaml", "a")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("course.yaml", "b")
    with pytest.raises(BadZip, match="twice"):
        course_zips.files_in(made.getvalue())


def test_a_size_that_lies_is_not_believed():
    """The directory says ten bytes; what is packed unpacks to more than a file of a course may have."""
    import zlib

    raw = b"".join(str(n).encode() for n in range(400_000))  # hardly packs, so the ratio says nothing
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(raw) + packer.flush()
    name = b"course.yaml"
    head = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, zlib.crc32(raw), len(body), 10, len(name), 0)
    local = b"PK\3\4" + head + name + body
    entry = b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(entry), len(local), 0)
    with pytest.raises(BadZip):
        course_zips.files_in(local + entry + end)


def test_an_encrypted_member_is_refused():
    data = bytearray(zipped())
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(BadZip, match="encrypted"):
        course_zips.files_in(bytes(data))


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(course_zips, "FILES_MOST", 3)
    with pytest.raises(BadZip, match="more than 3 files"):
        course_zips.files_in(packed())


def test_all_files_together_have_a_limit(monkeypatch):
    monkeypatch.setattr(course_zips, "UNPACKED_MOST", 2_000)
    with pytest.raises(BadZip, match="too large"):
        course_zips.files_in(packed())


@pytest.mark.parametrize("top", ["", "safe-talk/"])
def test_a_good_zip_is_read_with_the_folder_and_without_and_litter_is_left_out(top):
    files = course_files() | {".DS_Store": "x", "__MACOSX/._course.yaml": "x"}
    data = packed(files, top=top)
    course, faults, _texts = course_zips.read(data, ["en"])
    assert (course.slug, faults) == ("safe-talk", [])
    assert list(course_zips.workshop().iterdir()) == []


def test_mistakes_are_shown_with_their_line_and_nothing_is_published(author, other, sign_in):
    files = course_files()
    files[LESSON] = FRONT + CHECK.replace("right: true", "right: maybe")
    row = course_uploads.keep(data=packed(files), name="x.zip", by=author)
    page = sign_in(other).get(reverse("training:upload", args=[row.uid])).text
    assert f"{LESSON}:" in page
    assert "right: maybe" in page
    with pytest.raises(course_uploads.HasMistakes):
        course_uploads.publish(upload=row, change="minor", by=other)
    assert not Edition.objects.exists()


def test_an_author_sends_it_and_another_one_publishes_it(author, other, sign_in):
    client = sign_in(author)
    sent = client.post(LIST, {"file": SimpleUploadedFile("safe-talk.zip", packed())})
    row = CourseUpload.objects.get()
    url = reverse("training:upload", args=[row.uid])
    assert sent["Location"] == url
    assert "another author looks at it" in client.get(url).text
    refused = client.post(f"{url}publish/", {"change": "minor"}, follow=True)
    assert "Somebody else has to publish" in refused.text
    client = sign_in(other)
    assert "Publish it as the next edition" in client.get(url).text
    assert "This field is required" in client.post(f"{url}publish/").text  # minor or material has no default
    published = client.post(f"{url}publish/", {"change": "minor"})
    edition = Edition.objects.get()
    assert published["Location"] == reverse("training:edition", args=["safe-talk", 1])
    assert (edition.modules.count(), CourseUpload.objects.count()) == (2, 0)
    told = [(entry.verb, entry.actor) for entry in Entry.objects.filter(verb__startswith="training.").order_by("seq")]
    assert told == [("training.course_uploaded", author.uid), ("training.edition_published", other.uid)]
    assert ledger.body_of(Entry.objects.get(verb="training.course_uploaded"))["sha256"] == row.sha256


def test_material_is_said_on_the_page_and_reaches_the_rules(author, other, sign_in):
    course_uploads.publish(
        upload=course_uploads.keep(data=packed(), name="1.zip", by=author), change="minor", by=other
    )  # fmt: skip
    files = course_files()
    files["01-first/en/02-deeds.md"] = FRONT + "Another text.\n"
    row = course_uploads.keep(data=packed(files), name="2.zip", by=author)
    sign_in(other).post(reverse("training:upload_publish", args=[row.uid]), {"change": "material"})
    assert MaterialChange.objects.get().edition.number == 2


def test_lessons_and_questions_are_shown_as_they_would_be_and_what_is_tried_is_kept_nowhere(author, sign_in):
    row = course_uploads.keep(data=packed(), name="x.zip", by=author)
    client = sign_in(author)
    url = reverse("training:upload_lesson", args=[row.uid, "01-first", "01-words"])
    page = BeautifulSoup(client.get(url).text, "html.parser")
    assert page.h1.get_text() == "The lesson"
    assert "An order is business." not in page.get_text()
    tried = client.post(url, {"block": "lunch", "choice": "1"})
    assert "An order is business." in tried.text
    questions = client.get(reverse("training:upload_questions", args=[row.uid, "01-first"])).text
    assert "What of first-us-0?" in questions
    assert client.get(reverse("training:upload_lesson", args=[row.uid, "01-first", "09-none"])).status_code == 404


def test_a_bad_zip_is_refused_on_the_page(author, sign_in):
    answer = sign_in(author).post(LIST, {"file": SimpleUploadedFile("x.zip", zipped(("../evil.md", b"x")))})
    assert "points outside the course folder" in answer.text
    assert not CourseUpload.objects.exists()


def test_a_newer_zip_takes_the_place_of_ones_own_and_old_ones_go(author, other, time_machine):
    time_machine.move_to("2030-01-01 12:00 +0800")
    course_uploads.keep(data=packed(), name="old.zip", by=other)
    time_machine.move_to("2030-01-20 12:00 +0800")
    course_uploads.keep(data=packed(), name="first.zip", by=author)
    course_uploads.keep(data=packed(), name="second.zip", by=author)
    assert [row.name for row in CourseUpload.objects.all()] == ["second.zip"]
