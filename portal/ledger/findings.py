"""What a verification can find, in words. A Fault is tampering or loss; a note is odd, and no tampering."""

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

WORDS = {
    # entries
    "missing": _("it is missing"),
    "order": _("it does not follow the entry before it"),
    "digest": _("its digest does not fit what it says"),
    "unreadable": _("its columns cannot be read"),
    "version": _("it was written in a version that is not known"),
    "body_gone": _("its body is missing and no disposal names it"),
    "body_changed": _("its body was changed"),
    "body_kept": _("a disposal names it, but its body is still there"),
    "body_strays": _("there is a body without an entry"),
    "head": _("the head does not name the last entry"),
    "count": _("there are more entries than numbers"),
    # seals
    "seal_missing": _("seal %(seal)s is missing"),
    "seal_order": _("seal %(seal)s does not follow the seal before it"),
    "seal_note": _("seal %(seal)s is not what was signed"),
    "seal_columns": _("seal %(seal)s says something else than its signed note"),
    "seal_key": _("seal %(seal)s is signed with a key that was not valid for it"),
    "seal_shrinks": _("seal %(seal)s covers less than the one before it"),
    "seal_root": _("at or before entry %(upto)s something is not what seal %(seal)s covers"),
    "seal_beyond": _("seal %(seal)s covers entries up to %(upto)s, and they are not there"),
    "seal_edge": _("what was kept beside seal %(seal)s for the next one does not lead to its root"),
    "node": _("the tree's stored nodes do not fit the entries"),
    "key_file": _("the key file is not the key that the log names last"),
    # copies that had left the machine
    "outside_note": _("the outside seal %(seal)s is not one of this log"),
    "outside_unknown": _("the outside seal %(seal)s is no longer among the seals"),
    "outside_root": _("at or before entry %(upto)s something is not what the outside seal %(seal)s covers"),
    "outside_beyond": _("the outside seal %(seal)s covers entries up to %(upto)s, and they are not there"),
    # what stands beside the entries
    "check": "%(what)s",  # the words of the room that found it
    "row_differs": _("the %(table)s “%(row)s” of %(of)s is not what the log says: %(fields)s"),
    "row_gone": _("the %(table)s “%(row)s” of %(of)s that it tells of is not there"),
    "row_alone": _("no entry tells of the %(table)s “%(row)s” of %(of)s"),
    # notes
    "time_back": _("the time steps back at entry %(seq)s"),
    "seal_time_back": _("the time steps back at seal %(seal)s"),
    "key_replaced": _("entry %(seq)s begins a new key that the old one has not signed for"),
    "unsealed": _("nothing is sealed yet"),
    "more": _("and %(count)s more of the kind"),
}

# What the tables are called of which rows are compared with the log: their rooms are above this one.
TABLES = {
    "attempt": _("quiz attempt"),
    "certificate": _("certificate"),
    "completion": _("completion"),
    "exemption": _("exemption"),
    "module": _("module result"),
    "signature": _("signed policy"),
}


@dataclass(frozen=True)
class Fault:
    """``seq``: the first Entry that is bad, or that nothing vouches for any longer; 0: no Entry tells of it."""

    seq: int
    code: str
    detail: dict = field(default_factory=dict)

    def __str__(self) -> str:
        return words(self.code, self.detail)


def words(code: str, detail: dict) -> str:
    if "table" in detail:
        detail = detail | {"table": TABLES.get(detail["table"], detail["table"])}
    return str(WORDS[code]) % detail


def told(seq: int, code: str, detail: dict) -> str:
    """Return a finding in words, with the number of the Entry if there is one."""
    said = words(code, detail)
    return _("Entry %(seq)s: %(said)s") % {"seq": seq, "said": said} if seq else said


def others(detail: dict) -> list[str]:
    """Return what was found besides, in words, and how many were not kept."""
    named = detail.get("more", [])
    beyond = detail.get("count", 0) - len(named) - 1
    said = [told(one["seq"], one["code"], one) for one in named]
    return [*said, words("more", {"count": beyond})] if beyond > 0 else said
