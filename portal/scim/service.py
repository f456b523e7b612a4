"""The protocol: the library's steps, with what directories say put right first and what they leave out left alone."""

from typing import Any

from pydantic import ValidationError
from scim2_models import Context, PatchOp, Resource, ResourceType
from scim2_server.conditions import Conditions
from scim2_server.service import ScimService, scim_exception_of
from scim2_server.utils import parametrize

from portal.scim import dialects
from portal.scim.schemas import PROVIDER, Enterprise


class Service(ScimService):
    def read_creation(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> Resource[Any]:
        payload = self.decode_body(body, content_type)
        if resource_type.name == "User":
            payload = dialects.with_address(dialects.put_right(payload))
        return _validated(self.get_model(resource_type), payload, Context.RESOURCE_CREATION_REQUEST)

    def read_replacement(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> Resource[Any]:
        """Return what a PUT says. One that names no address leaves the address alone, although there must be one."""
        payload, is_kept = self.decode_body(body, content_type), False
        if resource_type.name == "User" and isinstance(payload, dict):
            payload = dialects.put_right(payload)
            is_kept = not dialects.tells_address(payload)
            payload |= {"emails": [{"value": "as before"}]} if is_kept else {}
        read = _validated(self.get_model(resource_type), payload, Context.RESOURCE_REPLACEMENT_REQUEST)
        if is_kept:
            read.model_fields_set.discard("emails")
        return read

    def read_patch(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> "PatchOp[Any]":
        self.ensure_patch_supported()
        payload = dialects.put_patch_right(self.decode_body(body, content_type))
        model = parametrize(PatchOp, self.get_model(resource_type))
        return _validated(model, payload, Context.RESOURCE_PATCH_REQUEST)

    def apply_replacement(
        self, current: Resource[Any], replacement: Resource[Any], conditions: Conditions
    ) -> Resource[Any] | None:
        """Leave alone what a PUT does not name, as RFC 7644 3.5.1 allows: HR may have told it. null empties it."""
        _fill(replacement, current)
        if Enterprise in type(current).get_extension_models().values():
            ours, theirs = current[Enterprise], replacement[Enterprise]
            if theirs is None:
                replacement[Enterprise] = ours
            elif ours is not None:
                _fill(theirs, ours)
        return super().apply_replacement(current, replacement, conditions)


def _validated(model: Any, payload: Any, context: Context) -> Any:
    try:
        return model.model_validate(payload, scim_ctx=context)
    except ValidationError as error:
        raise scim_exception_of(error) from error


def _fill(told: Any, known: Any) -> None:
    for name in type(known).model_fields:
        if name not in told.model_fields_set and name not in ("schemas", "meta", "id") and name != Enterprise.__name__:
            setattr(told, name, getattr(known, name))


SERVICE = Service(PROVIDER)
