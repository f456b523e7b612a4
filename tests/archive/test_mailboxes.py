"""mbox, folder and ZIP: every mail of a delivery, at places from which a run goes on."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.sources import feed, mailboxes, mime, zipped
from archive.sources.base import KEPT_OF_ASIDE, Aside
from archive.sources.feed import How
from archive.sources.mailboxes import Folder
from tests.archive.mails import FROM_LINE, mail, mbox, records, told
from tests.archive.mails import zipped as zip_of

THREE = [mail(f"text {n}", Message_ID=f"<{n}@x>") for n in (1, 2, 3)]
IDS = ["1@x", "2@x", "3@x"]


def of_folder(path: Path, *, line: int = 0, offset: int = 0) -> list:
    folder = Folder(path, How("mail", {}, "Asia/Shanghai"))
    folder.digest()
    return list(folder.read(line=line, offset=offset))


def make_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


# --- mbox


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_mbox_is_its_mails_however_lines_end(newline):
    data = mbox(THREE).replace(b"\n", newline)
    found = records(data)
    assert told(found) == IDS
    assert [one.place.line for one in found] == [1, 2, 3]
    assert [data[one.place.offset : one.place.offset + 5] for one in found] == [b"From "] * 3
    assert found[-1].place.end == len(data)


def test_a_mail_is_the_same_in_whatever_container(tmp_path):
    quoted = mail("hello\n\nFrom here on\n>From there\n", Message_ID="<1@x>")
    folder = make_folder(tmp_path, {"1.eml": quoted.replace(b"\n", b"\r\n")})
    found = [
        *records(quoted),
        *records(quoted.replace(b"\n", b"\r\n")),
        *records(mbox([quoted])),
        *records(zip_of([("a.eml", quoted)])),
        *records(gzip.compress(mbox([quoted]))),
        *of_folder(folder),
    ]
    assert len({one.fingerprint for one in found}) == 1
    assert {one.own_text for one in found} == {"hello\n\nFrom here on"}
    assert len(found) == 6


def test_a_from_line_in_a_text_ends_no_mail():
    text = "we came\n\nFrom Shanghai to Beijing it is far.\nFrom there on\n"
    careless = FROM_LINE + mail(text, Message_ID="<1@x>") + b"\n" + FROM_LINE + THREE[1]
    assert told(records(careless)) == ["1@x", "2@x"]


@pytest.mark.parametrize(
    "line",
    [
        b"From - Mon Oct 12 01:02:10 2026\n",
        b"From 1789@xxx Mon Oct 12 01:02:10 +0000 2026\n",
        b"From MAILER-DAEMON Mon, 12 Oct 2026 01:02:10 +0000\n",
        b"From li.na@example.com\n",
    ],
)
def test_dialects_of_the_from_line(line):
    assert told(records(b"\n".join(line + one for one in [b"%s\n" % one for one in THREE]))) == IDS


def test_a_file_that_begins_otherwise_is_one_mail():
    assert told(records(mail("hello\n\n" + FROM_LINE.decode() + "x", Message_ID="<1@x>"))) == ["1@x"]


@given(st.lists(st.text(alphabet="a\n>From :,", max_size=40), min_size=1, max_size=6), st.integers(0, 5))
def test_an_mbox_goes_on_from_any_place_with_what_a_careful_writer_put_in(texts, at):
    data = mbox(mail(text, Message_ID=f"<{n}@x>") for n, text in enumerate(texts))
    everything = records(data)
    assert told(everything) == [f"{n}@x" for n in range(len(texts))]
    place = everything[min(at, len(texts) - 1)].place
    assert records(data, line=place.line, offset=place.end) == everything[place.line :]


def test_a_packed_mbox_goes_on_without_unpacking_it_again(monkeypatch):
    stream = io.BytesIO(gzip.compress(mbox(THREE * 50)))
    begun_anew: list[int] = []
    rewind = gzip._GzipReader._rewind
    monkeypatch.setattr(gzip._GzipReader, "_rewind", lambda self: (begun_anew.append(1), rewind(self)))
    reader = feed.open_feed(stream, len(stream.getvalue()), How("mail"))
    line = offset = 0
    found = []
    for _batch in range(200):
        for one in reader.read(line=line, offset=offset):
            found.append(one)
            line, offset = one.place.line, one.place.end
            break
    assert (len(found), found[-1].place.line) == (150, 150)
    assert len(begun_anew) <= 1  # once, after a look at what it holds


def test_a_mail_over_the_limit_is_set_aside_and_the_next_is_read(monkeypatch):
    monkeypatch.setattr(mime, "MAIL_LIMIT", 200_000)
    monkeypatch.setattr(mailboxes, "MAIL_LIMIT", 200_000)
    monkeypatch.setattr(zipped, "MAIL_LIMIT", 200_000)
    large = mail("x" * 79 + "\n") + (b"x" * 79 + b"\n") * 5000
    data = mbox([THREE[0], large, THREE[1]])
    first, aside, second = records(data)
    assert (told([first, second]), aside.reason, len(aside.raw)) == (["1@x", "2@x"], "mail_too_large", KEPT_OF_ASIDE)
    assert aside.length == aside.place.end - aside.place.offset > 400_000
    assert told(records(large)) == ["mail_too_large"]
    assert told(records(zip_of([("a.eml", large), ("b.eml", THREE[0])]))) == ["mail_too_large", "1@x"]


# --- folder and Maildir


def test_a_folder_is_read_by_name_at_any_depth(tmp_path):
    make_folder(tmp_path, {"b/2.eml": THREE[1], "a.eml": THREE[0], "c.txt": THREE[2], "d.pdf": b"%PDF", "e.eml": b""})
    found = of_folder(tmp_path)
    assert told(found) == [*IDS, "bad_member", "bad_member"]
    assert [one.place.line for one in found] == [1, 2, 3, 4, 5]
    place = found[1].place
    assert of_folder(tmp_path, line=place.line, offset=place.end) == found[2:]


def test_of_a_maildir_only_what_was_delivered_is_read(tmp_path):
    make_folder(
        tmp_path,
        {
            "cur/1789.M1.host:2,S": THREE[0],
            "new/1790.M2.host": THREE[1],
            "tmp/1791.M3.host": THREE[2],
            ".Sent/cur/1792.M4.host:2,": THREE[2],
            ".Sent/new/.keep": b"",
            "dovecot-uidlist": b"3 V1",
        },
    )
    assert sorted(told(of_folder(tmp_path))) == ["1@x", "2@x", "3@x", "bad_member"]


def test_links_and_devices_in_a_folder_are_never_opened(tmp_path):
    secret = tmp_path / "secret.eml"
    secret.write_bytes(THREE[0])
    inside = make_folder(tmp_path / "in", {"z.eml": THREE[1]})
    (inside / "link.eml").symlink_to(secret)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "fifo.eml")
    assert told(of_folder(inside)) == ["bad_member", "bad_member", "bad_member", "2@x"]


def test_the_digest_of_a_folder_is_over_names_and_contents(tmp_path):
    def digest(files: dict[str, bytes]) -> str:
        path = make_folder(tmp_path / str(len(list(tmp_path.iterdir()))), files)
        return Folder(path, How("mail")).digest()

    one = digest({"a.eml": b"x", "b.eml": b"y"})
    assert digest({"b.eml": b"y", "a.eml": b"x"}) == one
    others = [{"a.eml": b"y", "b.eml": b"x"}, {"a.eml": b"xy", "b.eml": b""}, {"c.eml": b"x", "b.eml": b"y"}]
    assert one not in [digest(other) for other in others]


def test_a_file_that_went_away_while_the_folder_was_read_stops_nothing(tmp_path):
    make_folder(tmp_path, {"1.eml": THREE[0], "2.eml": THREE[1], "3.eml": THREE[2]})
    reading = Folder(tmp_path, How("mail")).read()
    first = next(reading)
    (tmp_path / "2.eml").unlink()
    assert told([first, *reading]) == ["1@x", "bad_member", "3@x"]


# --- ZIP


def test_a_zip_is_read_in_the_order_of_its_directory_and_goes_on():
    data = zip_of([("b.eml", THREE[0]), ("a/", b""), ("a/c.eml", THREE[1]), ("a.eml", THREE[2])])
    everything = records(data)
    assert told(everything) == IDS
    place = everything[0].place
    assert records(data, line=place.line, offset=place.end) == everything[1:]


def manifest(*names: str, count: int | None = None) -> tuple[str, bytes]:
    lines = [f"Count: {len(names) if count is None else count}", *names]
    return "list.mf", "\r\n".join(lines).encode()


MEMBERS = [("2026/a.eml", THREE[0]), ("2026/甲.eml", THREE[1])]


@pytest.mark.parametrize(
    "listed",
    [
        manifest("2026/a.eml", "2026/甲.eml"),
        manifest("a.eml", "甲.eml"),
        ("LIST.MF", "\ufeff  count : 2\na.eml\n甲.eml\n".encode()),
        ("LIST.MF", "count=2\n甲.eml\na.eml\n".encode("gb18030")),
    ],
)
def test_a_list_that_holds_lets_the_zip_in(listed):
    assert told(records(zip_of([*MEMBERS, listed]))) == ["1@x", "2@x"]


@pytest.mark.parametrize(
    ("members", "listed"),
    [
        (MEMBERS, manifest("a.eml", "甲.eml", count=3)),
        (MEMBERS, manifest("a.eml", count=2)),
        (MEMBERS, manifest("A.eml", "甲.eml")),
        (MEMBERS, manifest("a.eml", "甲.eml", "b.eml", count=2)),
        (MEMBERS, ("list.mf", b"a.eml\n")),
        (MEMBERS, ("list.mf", b"")),
        (MEMBERS, ("list.mf", b"Count: " + b"9" * 5000)),
        ([*MEMBERS, ("c.eml", b"")], manifest("a.eml", "甲.eml", "c.eml")),
        ([*MEMBERS, manifest("a.eml", "甲.eml")], ("second.mf", manifest("a.eml", "甲.eml")[1])),
    ],
)
def test_a_list_that_does_not_hold_sets_the_whole_zip_aside(members, listed):
    data = zip_of([*members, listed])
    [aside] = records(data)
    assert (aside.reason, aside.length) == ("manifest_differs", len(data))
    assert records(data, line=aside.place.line, offset=aside.place.end) == []


TRICKS = [
    "../../etc/passwd.eml",
    "/etc/passwd.eml",
    "..\\..\\x.eml",
    "C:\\x.eml",
    "a\x00b.eml",
    "a.eml",
    "a.eml",
    "👻" * 300,
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_try_to_be_paths_do_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = zip_of([(name, mail(Message_ID=f"<{n}@x>")) for n, name in enumerate(TRICKS)])
    assert told(records(data)) == [f"{n}@x" for n in range(len(TRICKS))]
    assert list(tmp_path.iterdir()) == []


def link(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.external_attr = 0o120777 << 16
    return found


def encrypted(data: bytes) -> bytes:
    """Set the flag of encryption on the first member, in its own header and in the directory."""
    at = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    changed[6] |= 1
    changed[at + 8] |= 1
    return bytes(changed)


def test_members_that_are_no_mails_are_set_aside_and_the_rest_is_read():
    members = [
        (link("l.eml"), b"/etc/passwd"),
        ("g.eml.gz", gzip.compress(THREE[1])),
        ("z.zip", zip_of([("a.eml", THREE[1])])),
        ("e.eml", b""),
        ("p.pdf", b"%PDF-1.4"),
        ("a.eml", THREE[0]),
    ]
    found = records(zip_of(members))
    assert told(found) == [*["bad_member"] * 5, "1@x"]


def test_a_member_that_is_encrypted_or_packed_strangely_is_refused():
    two = [("a.eml", THREE[0]), ("b.eml", THREE[1])]
    assert told(records(encrypted(zip_of(two)))) == ["bad_member", "2@x"]
    assert told(records(zip_of(two, zipfile.ZIP_LZMA))) == ["bad_member", "bad_member"]


def test_a_member_that_is_damaged_or_lies_about_its_size_is_refused():
    data = bytearray(zip_of([("a.eml", THREE[0]), ("b.eml", THREE[1])], zipfile.ZIP_STORED))
    data[data.index(b"text 1")] ^= 1
    assert told(records(bytes(data))) == ["bad_member", "2@x"]
    data = bytearray(zip_of([("a.eml", THREE[0]), ("b.eml", THREE[1])]))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (5).to_bytes(4, "little")
    assert told(records(bytes(data))) == ["bad_member", "2@x"]


def test_a_bomb_is_refused_before_anything_is_unpacked(monkeypatch):
    data = zip_of([(f"{n}.eml", b"\0" * 2**20) for n in range(20)])
    three, one = zip_of([(f"{n}.eml", b"x") for n in range(3)]), zip_of([("1.eml", b"x")])
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *args, **kwargs: pytest.fail("was unpacked"))
    assert told(records(data)) == ["unpacks_too_large"]
    monkeypatch.setattr(zipped, "MEMBERS_LIMIT", 2)
    assert told(records(three)) == ["unpacks_too_large"]
    monkeypatch.setattr(zipped, "DIRECTORY_LIMIT", 10)
    assert told(records(one)) == ["unpacks_too_large"]


def test_members_that_lie_over_each_other_are_a_bomb():
    data = zip_of([(f"{n}.eml", os.urandom(5000)) for n in range(4)], zipfile.ZIP_STORED)
    at = data.index(b"PK\x01\x02")
    entry = data[at : data.index(b"PK\x01\x02", at + 1)]
    end = data[data.index(b"PK\x05\x06") :]
    directory = entry * 40
    counts = (40).to_bytes(2, "little") * 2 + len(directory).to_bytes(4, "little") + at.to_bytes(4, "little")
    assert told(records(data[:at] + directory + end[:8] + counts + end[20:])) == ["unpacks_too_large"]


@pytest.mark.parametrize("length", [4, 30, 100, 250])
def test_a_zip_that_is_cut_off_is_one_record_set_aside(length):
    data = zip_of([("a.eml", THREE[0]), ("b.eml", THREE[1])])
    assert told(records(data[:length])) == ["cannot_unpack"]


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_zip_with_any_byte_changed_stops_nothing(at, value):
    data = bytearray(zip_of([("a.eml", THREE[0]), ("b.eml", THREE[1]), manifest("a.eml", "b.eml")]))
    data[at % len(data)] = value
    assert records(bytes(data)) is not None


# --- packed


def test_a_gzip_bomb_is_stopped_however_it_is_read(monkeypatch):
    monkeypatch.setattr(feed, "ALWAYS_FINE", 2**20)
    one = gzip.compress(mail("x") + b" " * 8_000_000)
    many = gzip.compress(FROM_LINE + mail("x") + b"\n" * 8_000_000)
    for data in (one, many):
        [aside] = records(data)
        assert isinstance(aside, Aside)
        assert aside.reason == "unpacks_too_large"


def test_an_empty_file_is_set_aside_as_no_mail():
    [aside] = records(b"")
    assert (aside.reason, aside.length) == ("not_a_mail", 0)
    assert records(b"", line=1) == []


def test_of_a_damaged_packed_mbox_the_beginning_is_kept():
    whole = gzip.compress(mbox([mail(os.urandom(50_000).hex(), Message_ID=f"<{n}@x>") for n in range(20)]))
    *found, last = records(whole[: len(whole) // 2])
    assert len(found) > 5
    assert last.reason == "cannot_unpack"
