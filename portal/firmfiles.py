"""Decisions of the firm as data: a YAML file that ships, and over it a file of the firm's own with its own version."""

import hashlib
from pathlib import Path

import yaml

FIRM = "firm"  # tag of the system checks that look at such files and at the firm's keys


class BrokenFile(ValueError):
    """The file cannot be used; the message names it and says what to mend."""


def read(shipped: Path, firms: Path | None) -> tuple[dict, Path]:
    """Return what counts and the file to blame if something in it is wrong.

    What the firm's file says goes over what ships, key by key; a key whose value is a mapping is gone through in the
    same way, once. Keys that do not ship are refused: they would do nothing. Raises BrokenFile.
    """
    told = _mapping(shipped)
    if firms is None:
        return told, shipped
    own = _mapping(firms)
    if unknown := sorted(str(key) for key in own.keys() - told.keys()):
        raise BrokenFile(f"{firms}: no such threshold: {', '.join(unknown)}. The names are those of {shipped.name}.")
    if str(own.get("version", told["version"])) == str(told["version"]):
        raise BrokenFile(f"{firms}: needs a version of its own, other than {told['version']!r}, the one that ships.")
    return {key: _over(told[key], own.get(key, told[key]), f"{firms}: {key}") for key in told}, firms


def _over(told: object, own: object, where: str) -> object:
    if not isinstance(told, dict):
        return own
    if not isinstance(own, dict):
        raise BrokenFile(f"{where} must be a list of names with their values.")
    if unknown := sorted(str(key) for key in own.keys() - told.keys()):
        raise BrokenFile(f"{where}: no such name: {', '.join(unknown)}.")
    return {**told, **own}


def _mapping(path: Path) -> dict:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenFile(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BrokenFile(f"{path} holds no thresholds: write names and values, as in the file that ships.")
    return data


def digest(data: dict) -> str:
    """Return the SHA-256 of what a file says, so that two of one version are told apart."""
    return hashlib.sha256(yaml.safe_dump(data, sort_keys=True).encode()).hexdigest()


def check_types(where: Path, values: dict[str, tuple[object, type]]) -> None:
    """Raise BrokenFile for the first value that is not a whole number from 0 on, or yes or no, as it should be."""
    for name, (value, wanted) in values.items():
        if type(value) is not wanted or (wanted is int and value < 0):
            raise BrokenFile(f"{where}: {name} is {value!r}: it must be {_WORDS[wanted]}.")


_WORDS = {int: "a whole number, 0 or more", bool: "true or false", str: "text"}
