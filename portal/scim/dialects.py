"""How Microsoft Entra and Okta say things beside RFC 7644, put as the RFC says them: JSON in, JSON out."""

from typing import Any

from portal.scim.schemas import ENTERPRISE

_MANAGER = f"{ENTERPRISE}:manager".casefold()


def put_right(payload: Any) -> Any:
    """Return a User as it is created or replaced, with its manager as an object."""
    if not isinstance(payload, dict):
        return payload
    return {key: _manager(value) if key == ENTERPRISE else value for key, value in payload.items()}


def with_address(payload: Any) -> Any:
    """Return a User whose address is its userName, if that is one and no other is told."""
    if not isinstance(payload, dict) or tells_address(payload):
        return payload
    name = next((value for key, value in payload.items() if key.casefold() == "username"), None)
    if not isinstance(name, str) or "@" not in name:
        return payload
    others = {key: value for key, value in payload.items() if key.casefold() != "emails"}
    return others | {"emails": [{"value": name, "type": "work", "primary": True}]}


def tells_address(payload: dict) -> bool:
    return any(key.casefold() == "emails" and value for key, value in payload.items())


def put_patch_right(payload: Any) -> Any:
    """Return a PATCH whose operations name a manager as an object, and replace by nothing what is to be emptied."""
    if not isinstance(payload, dict):
        return payload
    return {
        key: [each for one in value for each in _apart(one)]
        if key.casefold() == "operations" and isinstance(value, list)
        else value
        for key, value in payload.items()
    }


def _apart(one: Any) -> list[Any]:
    """Return an operation put right; of one without a path, what is told by a path with a filter as one of its own."""
    if not isinstance(one, dict):
        return [one]
    one = {key.lower() if key.lower() in ("op", "path", "value") else key: value for key, value in one.items()}
    value = one.get("value")
    if one.get("path") or not isinstance(value, dict) or not any("[" in key for key in value):
        return [_operation(one)]
    rest = {key: told for key, told in value.items() if "[" not in key}
    apart = [_operation({**one, "path": key, "value": told}) for key, told in value.items() if "[" in key]
    return [*([_operation({**one, "value": rest})] if rest else []), *apart]


def _operation(one: dict) -> dict:
    path, value, op = one.get("path"), one.get("value"), str(one.get("op", "")).lower()
    if op == "remove" and isinstance(value, list):
        return {**one, "value": [_named(told) for told in value]}
    if "value" in one and value is None and op == "add":
        return {**one, "op": "replace"}
    if isinstance(path, str) and path and op != "remove":
        if path.casefold() in (_MANAGER, "manager", f"{_MANAGER}.value"):
            return {**one, "path": f"{ENTERPRISE}:manager", "value": _person(value)}
        if path.casefold() == ENTERPRISE.casefold():
            return {**one, "value": _manager(value)}
    elif isinstance(value, dict) and not path:
        return {**one, "value": {key: _inner(key, inner) for key, inner in value.items()}}
    return one


def _named(told: Any) -> Any:
    """Return what tells one value from others: its own, without a name or an address beside."""
    return {"value": told["value"]} if isinstance(told, dict) and told.get("value") else told


def _inner(key: str, value: Any) -> Any:
    if key.casefold() == _MANAGER:
        return _person(value)
    return _manager(value) if key.casefold() == ENTERPRISE.casefold() else value


def _manager(extension: Any) -> Any:
    if not isinstance(extension, dict):
        return extension
    return {key: _person(value) if key.casefold() == "manager" else value for key, value in extension.items()}


def _person(value: Any) -> Any:
    """Return a reference to a person: told by the id alone, in a list of one, or as an object. None for nobody."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        value = {"value": value}
    if isinstance(value, dict) and not value.get("value") and not value.get("$ref"):
        return None
    return value
