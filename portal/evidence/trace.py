"""From any row to its proof: which Entry speaks of it, and each step to the newest Seal, checked as it is shown."""

import json
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from archive.models import Finding
from portal.ledger import keys, merkle, notes, proofs, rules
from portal.ledger import services as ledger
from portal.ledger.models import Body, Delivery, Disposal, Entry, Seal
from portal.people.models import Employee
from quizzes.models import Attempt
from training.models import Certificate
from training.rules import normal_serial

MOST_FOUND = 50
SHOWN_NODES = 64


@dataclass(frozen=True)
class Step:
    """One step of the proof. ``holds``: None where there was nothing to check yet."""

    what: str
    holds: bool | None
    details: list[tuple[str, str]] = field(default_factory=list)


def find(text: str, viewer: Employee) -> list[Entry]:
    """Return the Entries that speak of what was typed: an Entry's number, a certificate's serial, or the id of an
    attempt or a finding. Empty where there is none that the viewer may see."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return list(Entry.objects.filter(seq=int(text)))
    if serial := normal_serial(text):
        return _of_certificate(serial, viewer)
    if len(text) == 32 and text.isalnum():
        return _of_attempt(text, viewer) or _of_finding(text, viewer)
    return []


def _of_certificate(serial: str, viewer: Employee) -> list[Entry]:
    people = Employee.objects.visible_to(viewer)
    found = Certificate.objects.filter(serial=serial, completion__employee__in=people)
    uid = found.values_list("completion__employee__uid", flat=True).first()
    return _speaking(uid, "training.certificate_", serial, "serial", "replaced_by") if uid else []


def _of_attempt(uid: str, viewer: Employee) -> list[Entry]:
    people = Employee.objects.visible_to(viewer)
    who = Attempt.objects.filter(uid=uid, employee__in=people).values_list("employee__uid", flat=True).first()
    return _speaking(who, "quizzes.attempt_", uid, "attempt") if who else []


def _of_finding(uid: str, viewer: Employee) -> list[Entry]:
    found = Finding.objects.visible_to(viewer).filter(uid=uid).values_list("employee__uid", "pk").first()
    return _speaking(found[0] or "system:archive", "archive.finding_", uid, "finding") if found else []


def _speaking(subject: str, begins: str, wanted: str, *names: str) -> list[Entry]:
    """Return the Entries about the subject whose Body names what is wanted, oldest first."""
    rows = Entry.objects.filter(subject=subject, verb__startswith=begins).select_related("body").order_by("seq")
    found = []
    for one in rows.iterator(chunk_size=500):
        said = rules.read(bytes(one.body.content)) if hasattr(one, "body") else {}
        if wanted in (said.get(name) for name in names):
            found.append(one)
        if len(found) == MOST_FOUND:
            break
    return found


@dataclass(frozen=True)
class Proved:
    """``proof``: to take away, None while no Seal covers the Entry or the log is not what was sealed."""

    entry: Entry
    leaf: str
    steps: list[Step]
    proof: dict | None
    seal: Seal | None
    order: Entry | None

    @property
    def is_sound(self) -> bool:
        return all(step.holds is not False for step in self.steps)


def prove(entry: Entry) -> Proved:
    """Check an Entry step by step against what is stored now, and against the newest Seal. About a dozen queries."""
    columns = {name: getattr(entry, name) for name in ("seq", "at", "verb", "actor", "subject", "v")}
    leaf = rules.leaf(**columns, commitment=bytes(entry.commitment), prev=bytes(entry.prev))
    digest = merkle.leaf_hash(leaf)
    before = Entry.objects.filter(seq=entry.seq - 1).values_list("digest", flat=True).first()
    prev = rules.GENESIS if entry.seq == 1 else bytes(before or b"")
    steps = [
        Step(
            _("Its number, time, verb, actor, subject and commitment, hashed again, give the digest that is stored."),
            digest == bytes(entry.digest),
            [(_("Digest"), digest.hex())],
        ),
        Step(
            _("It names the digest of the entry before it."),
            prev == bytes(entry.prev),
            [(_("Digest of the entry before"), prev.hex())],
        ),
    ]
    seal = ledger.newest()
    if seal is None or seal.size < entry.seq:
        steps.append(Step(_("No seal covers it yet. The next one is made within an hour."), None))
        return Proved(entry, leaf.decode(), steps, None, None, _order(entry))
    path, proof = _climbed(entry, digest, seal)
    steps += [path, _signed(seal), _outside(seal)]
    return Proved(entry, leaf.decode(), steps, proof, seal, _order(entry))


def _climbed(entry: Entry, digest: bytes, seal: Seal) -> tuple[Step, dict | None]:
    facts = {"number": seal.number, "size": seal.size}
    try:
        proof = proofs.of_entry(entry=entry, seal=seal)
    except merkle.BadProof:
        said = _("The log is not what seal %(number)s covers: the path does not lead to its root.") % facts
        return Step(said, False), None
    nodes, index = [bytes.fromhex(node) for node in proof["path"]], entry.seq - 1
    root = merkle.root_by_inclusion(leaf=digest, index=index, size=seal.size, path=nodes)
    said = _("The digest and the hashes on its path lead to the root of seal %(number)s, over %(size)s entries.")
    details = [(_("Hash %(n)s on the path") % {"n": n}, node.hex()) for n, node in enumerate(nodes[:SHOWN_NODES], 1)]
    return Step(said % facts, root == bytes(seal.root), [*details, (_("Root"), root.hex())]), proof


def _signed(seal: Seal) -> Step:
    facts = {"number": seal.number, "key": seal.key_id}
    try:
        _text, by = notes.opened(seal.note, keys.public_keys())
        holds = any(one.id.hex() == seal.key_id for one in by)
    except notes.BadNote:
        holds = False
    said = _("Seal %(number)s is signed with the key %(key)s, which the log names.") % facts
    return Step(said, holds, [(_("The seal as it was signed"), seal.note)])


def _outside(seal: Seal) -> Step:
    """Say where this Seal, or the last one that left, is kept outside. Nothing outside is nothing proved."""
    last = Delivery.objects.filter(delivered_at__isnull=False).select_related("seal").order_by("-seal_id").first()
    if last is None:
        return Step(
            _("No seal has left this machine, so only its own word says that the log was not written anew."), None
        )
    facts = {"number": last.seal_id, "place": last.get_place_display()}
    said = _("The last seal that left this machine is number %(number)s (%(place)s): compare with it.") % facts
    return Step(said, None, [(_("Where it is"), last.receipt)])


def _order(entry: Entry) -> Entry | None:
    """Return the Entry that disposed of what this one said."""
    disposal = Disposal.objects.filter(seq=entry.seq).select_related("ordered_by").first()
    return disposal.ordered_by if disposal else None


def body_step(entry: Entry) -> tuple[Step, str]:
    """Return the step that shows that the text is the one committed to, and the text. Raises proofs.NoBody."""
    body = Body.objects.filter(entry=entry).first()
    if body is None:
        raise proofs.NoBody(entry.seq)
    content, salt = bytes(body.content), bytes(body.salt)
    made = rules.commitment(salt, content)
    said = _("What it says, hashed with its salt, gives the commitment in the entry.")
    details = [(_("Salt"), salt.hex()), (_("Commitment"), made.hex())]
    told = json.dumps(rules.read(content), ensure_ascii=False, indent=1)
    return Step(said, made == bytes(entry.commitment), details), told
