"""A pack's last step: the list of its files, signed, and everything in one ZIP whose bytes depend on nothing else."""

import hashlib
import shutil
import zipfile
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from portal.evidence.models import Pack
from portal.evidence.sections import ALL
from portal.evidence.workshop import Workshop
from portal.ledger import keys, rules
from portal.ledger import services as ledger
from training import files

CHECKER = Path(__file__).with_name("check_pack.py")
MEMBER_DATE = (1980, 1, 1, 0, 0, 0)
FORMAT = "onchannel-pack/1"


def about(pack: Pack) -> dict:
    """Return of whom and of when the pack speaks, as its list of files says it."""
    scope = {"kind": pack.scope}
    if pack.person:
        scope["person"] = pack.person.uid
    if pack.department:
        scope["department"] = pack.department.name
    return {"scope": scope, "as_at": rules.timestamp(pack.as_at), "upto": pack.upto}


def close(pack: Pack, workshop: Workshop, cursor: dict) -> dict:
    """Sign the list of files, put all into a ZIP and that into its place. Return its name, hash and size."""
    shutil.copyfile(CHECKER, workshop.path("check_pack.py"))
    workshop.write("README.txt", _readme(pack, cursor).encode())
    for name in ("manifest.json", "manifest.note"):
        workshop.path(name).unlink(missing_ok=True)
    manifest = {
        "format": FORMAT,
        "origin": keys.public_keys()[0].name,
        **about(pack),
        "people": cursor["people"],
        "sections": [section.as_json() for section in ALL],
        "files": {name: _listed(workshop.path(name)) for name in workshop.names()},
    }
    content = rules.canonical(manifest)
    workshop.write("manifest.json", content)
    digest = hashlib.sha256(content).hexdigest()
    workshop.write("manifest.note", ledger.signed(["onchannel evidence pack", f"manifest {digest}"]).encode())
    made = workshop.path(".pack.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in workshop.names():
            _put(archive, name, workshop.path(name))
    size, name = made.stat().st_size, f"packs/{pack.uid}.zip"
    sha256 = files.put_in_place(made, name)
    return {"file": name, "sha256": sha256, "size": size}


def _listed(path: Path) -> dict:
    return {"sha256": files.digest_of(path), "size": path.stat().st_size}


def _put(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    member = zipfile.ZipInfo(name, MEMBER_DATE)
    member.external_attr, member.create_system, member.compress_type = 0o600 << 16, 3, zipfile.ZIP_DEFLATED
    with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, 1 << 20)


def _readme(pack: Pack, cursor: dict) -> str:
    context = {"firm": settings.FIRM_NAME, "pack": pack, "figures": cursor["figures"], "files": [s.file for s in ALL]}
    parts = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            parts.append(render_to_string("evidence/readme.txt", context))
    return f"\n{'-' * 72}\n\n".join(parts)
