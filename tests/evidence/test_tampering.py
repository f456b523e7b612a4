"""What somebody can do to a pack before it is read, and that the checker finds it.

Most deeds are done by somebody who has the firm's key and signs the list of files anew: then only the log speaks.
"""

import base64
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.evidence import check_pack
from portal.ledger import keys, merkle, notes, rules
from portal.ledger import services as ledger
from portal.ledger.models import Seal
from tests.evidence.conftest import bytes_of, files_of, unpacked

pytestmark = pytest.mark.django_db
Files = dict[str, bytes]
Deed = Callable[[Files], None]


def rows(files: Files, name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(files[name].decode("utf-8-sig"))))


def put(files: Files, name: str, table: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    files[name] = out.getvalue().encode("utf-8-sig")


def cell(name: str, column: str, value: str, row: int = 1) -> Deed:
    def deed(files: Files) -> None:
        table = rows(files, name)
        at = table[0].index(column)
        assert table[row][at] != value
        table[row][at] = value
        put(files, name, table)

    return deed


def without_row(name: str) -> Deed:
    return lambda files: put(files, name, [row for n, row in enumerate(rows(files, name)) if n != 1])


def doubled_row(name: str) -> Deed:
    return lambda files: put(files, name, [*rows(files, name), rows(files, name)[1]])


def entry(verb: str, /, **change: object) -> Deed:
    """Change an entry of the verb in entries.jsonl: its leaf, or what stands beside it."""

    def deed(files: Files) -> None:
        lines = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
        found = next(line for line in lines if json.loads(line["entry"])["verb"] == verb)
        leaf = json.loads(found["entry"])
        for name, value in change.items():
            if name in found:
                found[name] = value(found[name]) if callable(value) else value
            else:
                leaf[name] = value(leaf[name]) if callable(value) else value
        if change.keys() - found.keys():
            found["entry"] = rules.canonical(leaf).decode()
        files["entries.jsonl"] = b"".join(rules.canonical(line) + b"\n" for line in lines)

    return deed


def without_entry(verb: str) -> Deed:
    def deed(files: Files) -> None:
        lines = files["entries.jsonl"].splitlines(keepends=True)
        at = next(n for n, line in enumerate(lines) if json.loads(json.loads(line)["entry"])["verb"] == verb)
        files["entries.jsonl"] = b"".join(lines[:at] + lines[at + 1 :])

    return deed


def forged_entry(files: Files) -> None:
    """Another completion, as it would be written."""
    lines = files["entries.jsonl"].splitlines(keepends=True)
    one = next(json.loads(line) for line in lines if "training.completed" in line.decode())
    leaf = json.loads(one["entry"])
    leaf["seq"] += 1
    body = one["body"].replace('"percent":100', '"percent":99')
    leaf["commitment"] = rules.commitment(bytes(32), body.encode()).hex()
    forged = {"entry": rules.canonical(leaf).decode(), "body": body, "salt": bytes(32).hex(), "why": None}
    files["entries.jsonl"] += rules.canonical(forged) + b"\n"


def data(name: str, change: Callable[[object], object]) -> Deed:
    def deed(files: Files) -> None:
        files[name] = json.dumps(change(json.loads(files[name]))).encode()

    return deed


def first_line(name: str, change: Callable[[dict], dict]) -> Deed:
    def deed(files: Files) -> None:
        first, *rest = files[name].splitlines(keepends=True)
        files[name] = rules.canonical(change(json.loads(first))) + b"\n" + b"".join(rest)

    return deed


def other_question(files: Files) -> None:
    """Another wording, and its fingerprint put right: only the paper can tell."""
    lines = [json.loads(line) for line in files["questions.jsonl"].splitlines()]
    lines[0]["content"]["stem"]["en"] = "what was never asked"
    lines[0]["fingerprint"] = hashlib.sha256(rules.canonical(lines[0]["content"])).hexdigest()
    files["questions.jsonl"] = b"".join(rules.canonical(line) + b"\n" for line in lines)


def seal_line(number: int, value: Callable[[str], str]) -> Deed:
    def deed(files: Files) -> None:
        lines = files["proof/seal.txt"].decode().split("\n")
        lines[number] = value(lines[number])
        files["proof/seal.txt"] = "\n".join(lines).encode()

    return deed


def sealed_by_a_stranger(files: Files) -> None:
    text = notes.text_of(files["proof/seal.txt"].decode())
    signer = notes.Signer(text.split("\n")[0], Ed25519PrivateKey.generate())
    files["proof/seal.txt"] = notes.sign(text, signer).encode()


def manifest(change: Callable[[dict], object]) -> Deed:
    def deed(files: Files) -> None:
        found = json.loads(files["manifest.json"])
        change(found)
        files["manifest.json"] = rules.canonical(found)

    return deed


def blank(found: dict) -> None:
    for section in found["sections"]:
        section["columns"] = [[name, source if name == "entry" else ""] for name, source in section["columns"]]


BY_THE_SIGNER: dict[str, Deed] = {
    # a cell of each table
    "a course that was not required": cell("required.csv", "due_on", "2031-01-01"),
    "another edition": cell("seen.csv", "edition", "2"),
    "another fingerprint": cell("seen.csv", "fingerprint", "2" * 64),
    "a lesson read sooner": cell("read.csv", "finished_at", "2020-01-01T00:00:00.000000Z"),
    "a better attempt": cell("attempts.csv", "percent", "99"),
    "an attempt passed": cell("attempts.csv", "passed", "perhaps"),
    "another answer": cell("answers.csv", "answer", '["c"]'),
    "an answer made right": cell("answers.csv", "is_right", "perhaps"),
    "another module": cell("passed.csv", "module", "third"),
    "completed later": cell("completed.csv", "expires_on", "2040-01-01"),
    "another serial": cell("certificates.csv", "serial", "OC0000000000000000"),
    "fewer messages": cell("captured.csv", "sent", "0"),
    "another state": cell("standing.csv", "may_message", "perhaps"),
    "a finding made light": cell("findings.csv", "severity", "9"),
    "another slip": cell("slips.csv", "note", "nothing"),
    "another name in HR's list": cell("details.csv", "value", "Somebody Else"),
    "another name of the person": cell("people.csv", "name_en", "Somebody Else"),
    "another person in the list": cell("people.csv", "person", "0" * 32),
    "another person in a row": cell("completed.csv", "person", "0" * 32),
    "another edition in the list": cell("editions.csv", "fingerprint", "3" * 64),
    # rows
    "a finding taken out": without_row("findings.csv"),
    "an attempt taken out": without_row("attempts.csv"),
    "an answer taken out": without_row("answers.csv"),
    "a completion doubled": doubled_row("completed.csv"),
    "a row without its entry": cell("completed.csv", "entry", ""),
    "a row of another entry": cell("completed.csv", "entry", "1"),
    "a row of no entry": cell("completed.csv", "entry", "999999"),
    "a heading changed": cell("completed.csv", "at", "x", row=0),
    # entries
    "an entry of another time": entry("training.completed", at="2026-01-01T00:00:00.000000Z"),
    "an entry about somebody else": entry("training.completed", subject="0" * 32),
    "an entry by somebody else": entry("training.completed", actor="system:nobody"),
    "an entry of another kind": entry("archive.finding_opened", verb="archive.finding_dismissed"),
    "an entry with another commitment": entry("training.completed", commitment="0" * 64),
    "an entry after another": entry("training.completed", prev="0" * 64),
    "an entry in another place": entry("training.completed", seq=lambda seq: seq + 1),
    "an entry that says something else": entry(
        "training.completed", body=lambda body: body.replace('"percent":100', '"percent":99')
    ),
    "an entry with another salt": entry("training.completed", salt="0" * 64),
    "an entry that says nothing": entry("training.completed", body=None, salt=None, why="disposed"),
    "an entry said to be about others": entry("training.completed", body=None, salt=None, why="others"),
    "an entry taken out": without_entry("archive.finding_opened"),
    "an entry forged": forged_entry,
    # the proof
    "a node taken away": data("proof/inclusion.json", lambda it: it | {"nodes": it["nodes"][1:]}),
    "a node too many": data("proof/inclusion.json", lambda it: it | {"nodes": [*it["nodes"], "00" * 32]}),
    "another node": data("proof/inclusion.json", lambda it: it | {"nodes": ["00" * 32, *it["nodes"][1:]]}),
    "another size": data("proof/inclusion.json", lambda it: it | {"size": it["size"] + 1}),
    "a seal of another size": seal_line(1, lambda size: str(int(size) + 1)),
    "a seal of another root": seal_line(2, lambda root: base64.b64encode(bytes(32)).decode()),
    "a seal of another time": seal_line(3, lambda time: "time 2020-01-01T00:00:00.000000Z"),
    "a seal that a stranger signed": sealed_by_a_stranger,
    "an earlier seal that is not contained": data(
        "proof/earlier.json", lambda it: [one | {"path": ["00" * 32, *one["path"][1:]]} for one in it]
    ),
    "no seal": lambda files: files.update({"proof/seal.txt": b""}),
    # papers
    "a paper in another order": first_line("papers.jsonl", lambda it: it | {"questions": it["questions"][::-1]}),
    "a paper of other points": first_line("papers.jsonl", lambda it: it | {"pass_percent": 1}),
    "a question of other words": first_line(
        "questions.jsonl", lambda it: it | {"content": it["content"] | {"stem": {"en": "easy"}}}
    ),
    "a question put right": other_question,
    # the list
    "an earlier end": manifest(lambda it: it.update(upto=1)),
    "another log": manifest(lambda it: it.update(origin="example.net/ledger")),
    "tables described as the portal's word": manifest(blank),
    "a table left out": manifest(lambda it: it["sections"].pop()),
}  # fmt: skip


def sign_again(files: Files) -> None:
    """What the owner of the key can do: the list of files, as they are now, and its signature."""
    found = json.loads(files["manifest.json"])
    listed = {name: content for name, content in files.items() if not name.startswith("manifest.")}
    found["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} for name, content in listed.items()
    }
    files["manifest.json"] = rules.canonical(found)
    digest = hashlib.sha256(files["manifest.json"]).hexdigest()
    files["manifest.note"] = ledger.signed(["onchannel evidence pack", f"manifest {digest}"]).encode()


def looked_at(files: Files, folder) -> check_pack.Check:
    return check_pack.looked_at(str(unpacked(files, folder)), [], [])


def test_whoever_has_the_key_and_signs_the_list_again_is_found_by_the_log(make_pack, firm, tmp_path):
    whole, missed = files_of(make_pack("department", department=firm["desk"])), []
    again = dict(whole)
    sign_again(again)
    assert looked_at(again, tmp_path / "again").faults == []
    assert again == whole  # Ed25519 signs alike
    for number, (name, deed) in enumerate(BY_THE_SIGNER.items()):
        files = dict(whole)
        deed(files)
        assert files != whole, name
        sign_again(files)
        if not looked_at(files, tmp_path / str(number)).faults:
            missed.append(name)
    assert missed == []
    assert len(BY_THE_SIGNER) >= 50


def test_without_the_key_no_byte_of_any_file_can_be_changed(make_pack, tmp_path):
    whole, missed = files_of(make_pack()), []
    for name in whole:
        files = dict(whole)
        at = len(files[name]) // 2
        files[name] = files[name][:at] + bytes([files[name][at] ^ 1]) + files[name][at + 1 :]
        if looked_at_safely(files, tmp_path / hashlib.sha256(name.encode()).hexdigest()):
            missed.append(name)
    for name in set(whole) - {"manifest.json"}:
        files = {one: content for one, content in whole.items() if one != name}
        if looked_at_safely(files, tmp_path / hashlib.sha256(b"-" + name.encode()).hexdigest()):
            missed.append(f"without {name}")
    if looked_at_safely(whole | {"another.csv": b"x"}, tmp_path / "more"):
        missed.append("a file more")
    assert missed == []


def looked_at_safely(files: Files, folder) -> bool:
    """Say whether the checker ends with 0."""
    return check_pack.main([str(unpacked(files, folder))]) == 0


def test_no_byte_of_the_zip_can_be_changed(make_pack, tmp_path):
    content, file, missed = bytes_of(make_pack()), tmp_path / "pack.zip", []
    step = len(content) // 60
    for at in range(0, len(content), step):
        file.write_bytes(content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1 :])
        try:
            if check_pack.main([str(file)]) == 0 and not same_files(file, content):
                missed.append(at)
        except Exception as error:  # a traceback would be no answer
            missed.append((at, error))
    assert missed == []


def same_files(file, content: bytes) -> bool:
    """A byte of the ZIP that says nothing about the files (a date, a flag) is no tampering."""
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(io.BytesIO(content)) as other:
        return {n: one.read(n) for n in one.namelist()} == {n: other.read(n) for n in other.namelist()}


def test_whoever_writes_the_whole_log_anew_is_found_by_a_seal_that_was_kept_elsewhere(make_pack, tmp_path):
    """With the key one can forge entries, tree and seal: the pack agrees with itself. A seal from outside does not."""
    files = files_of(make_pack())
    kept = tmp_path / "kept.txt"
    kept.write_text(Seal.objects.get(number=1).note)
    entry("training.completed", actor="system:forger")(files)
    lines = [json.loads(line)["entry"] for line in files["entries.jsonl"].splitlines()]
    leaves = sorted((json.loads(leaf)["seq"] - 1, merkle.leaf_hash(leaf.encode())) for leaf in lines)
    proof = json.loads(files["proof/inclusion.json"])
    nodes = [bytes.fromhex(node) for node in proof["nodes"]]
    root = merkle.root_around(leaves=leaves, size=proof["size"], nodes=nodes)
    said = notes.Checkpoint.parse(notes.text_of(files["proof/seal.txt"].decode()))
    forged = notes.sign(str(notes.Checkpoint(said.origin, said.size, root, said.lines)), keys.signer())
    files["proof/seal.txt"], files["proof/earlier.json"] = forged.encode(), b"[]"
    sign_again(files)
    folder = unpacked(files, tmp_path / "pack")
    assert check_pack.main([str(folder)]) == 0
    check = check_pack.looked_at(str(folder), [], [("kept.txt", kept.read_text())])
    assert ("brought", kept.name) not in [(name, facts.get("file")) for name, facts in check.proved]
    assert [name for name, facts in check.unproved if facts.get("file") == "kept.txt"] == ["brought_between"]


def test_a_key_that_is_not_the_trusted_one_is_told(make_pack, tmp_path):
    folder = unpacked(files_of(make_pack()), tmp_path / "pack")
    other = notes.Signer(keys.public_keys()[0].name, Ed25519PrivateKey.generate()).public
    check = check_pack.looked_at(str(folder), [check_pack.Key(str(other))], [])
    assert "other_key" in [name for name, _facts in check.faults]


def test_a_seal_of_another_log_is_told(make_pack, tmp_path):
    folder = unpacked(files_of(make_pack()), tmp_path / "pack")
    seal = Seal.objects.get(number=1).note.replace("\n", "x\n", 1)
    assert check_pack.looked_at(str(folder), [], [("seal.txt", seal)]).faults


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", b"\xff\xfe", b"c2sp.org/tlog-proof@v1\n"])
def test_what_is_no_pack_is_told_without_a_traceback(tmp_path, content, capsys):
    file = tmp_path / "pack.zip"
    file.write_bytes(content)
    assert check_pack.main([str(file)]) == 2
    assert "Cannot be read" in capsys.readouterr().err
