"""The only module that reads the environment: typed readers that refuse what they cannot understand."""

import os
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def required(name: str, how: str) -> str:
    """Return the variable, or what the file named by NAME_FILE holds. ``how`` tells a person how to set it."""
    value = text(name)
    if not value and (path := text(f"{name}_FILE")):
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path} cannot be read: {error.strerror}. {how}") from error
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {how}")
    return value


def secret(name: str) -> str:
    """Return the variable, or what the file named by NAME_FILE holds; empty where neither is set."""
    return required(name, f"{name}_FILE names a file that holds it.") if text(name) or text(f"{name}_FILE") else ""


def share(name: str, value: str) -> None:
    """Set a variable that a library reads, and that child processes inherit."""
    os.environ[name] = value


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in TRUE:
        return True
    if value.strip().lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Use 1 or 0.")


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number from {least} to {most}.")
    return int(value)


def one_of(name: str, choices: tuple[str, ...], default: str) -> str:
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(choices)}.")
    return value


def listing(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def groups(name: str) -> dict[str, dict[str, str]]:
    """Return, for each word that NAME lists, what the variables NAME_WORD_FIELD say, by field.

    A field may stand in a file that NAME_WORD_FIELD_FILE names.
    """
    return {word: _group(f"{name}_{word.upper()}_") for word in listing(name)}


def _group(start: str) -> dict[str, str]:
    told = {key.removeprefix(start): text(key) for key in os.environ if key.startswith(start)}
    for field in [field for field in told if field.endswith("_FILE")]:
        path, plain = told.pop(field), field.removesuffix("_FILE")
        if path and not told.get(plain):
            told[plain] = required(f"{start}{plain}", f"{start}{field} names the file that holds it.")
    return {field: value for field, value in told.items() if value}


def keys(name: str, path: Path, *, make: Callable[[], bytes]) -> list[str]:
    """Return the secrets in the variable, in the file that NAME_FILE names, or in ``path``, which is made if absent.

    One a line or between commas, the one to use first.
    """
    path = Path(text(f"{name}_FILE") or path)
    told = text(name)
    if not told:
        try:
            told = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            told = _made(path, make)
        except OSError as error:
            raise ImproperlyConfigured(f"{path}, which holds {name}, cannot be read: {error.strerror}.") from error
    found = [part.strip() for part in told.replace(",", "\n").splitlines() if part.strip()]
    if not found:
        raise ImproperlyConfigured(f"{path}, which should hold {name}, is empty.")
    return found


def _made(path: Path, make: Callable[[], bytes]) -> str:
    """Write a new secret for the owner's eyes only and return it; another process may have been faster."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "wb") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(mine, path)  # fails where it is there already, and is never half written
    except FileExistsError:
        pass
    finally:
        mine.unlink()
    return path.read_text(encoding="utf-8")


def of_a_child(**changes: str) -> dict[str, str]:
    """Return the environment for a process that is started from here, with these variables set otherwise."""
    return {**os.environ, **changes}
