"""What the SCIM server serves: Users and Groups with the attributes that this site keeps, and what it can do.

An attribute that is not here is dropped when a directory tells it: telephone numbers, addresses, passwords.
"""

from typing import Annotated, ClassVar

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    GroupMembership,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension

MOST_RESULTS = 200


class Name(ComplexAttribute):
    formatted: str | None = None
    """The full name, as it is shown."""

    family_name: str | None = None
    """The family name."""

    given_name: str | None = None
    """The given name."""


class Email(ComplexAttribute):
    value: Annotated[str | None, Required.true] = None
    """The address."""

    type: str | None = Field(None, examples=["work", "home", "other"])
    """Of several addresses the one for work is kept, else the primary one, else the first."""

    primary: bool | None = None
    """Whether it is the preferred address."""


class User(Resource[AnyExtension]):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """How the directory calls the person: mostly the address with which they sign in there."""

    name: Name | None = None
    """The parts of the name."""

    Name: ClassVar[type[ComplexAttribute]] = Name

    display_name: str | None = None
    """The name as it is shown, in Latin letters or in Chinese."""

    title: str | None = None
    """What the person is at work."""

    active: bool | None = None
    """Whether the person works here. False signs them out at once, and they have left."""

    emails: Annotated[list[Email] | None, Required.true] = None
    """One address for work. Where none is told and userName is an address, it is that one."""

    Emails: ClassVar[type[ComplexAttribute]] = Email

    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None
    """The groups of the directory that the person is in."""

    Groups: ClassVar[type[ComplexAttribute]] = GroupMembership


class Manager(ComplexAttribute):
    value: Annotated[str | None, CaseExact.true] = None
    """The id of the User to whom the person reports."""

    ref: Annotated[Reference["User"] | None, Field(serialization_alias="$ref", validation_alias="$ref")] = None
    """The address of that User."""


class Enterprise(Extension):
    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: str | None = None
    """The number on HR's list. Without one a person can sign in and owes no training."""

    department: str | None = None
    """The name of the department, which is made if it is not there."""

    manager: Manager | None = None
    """To whom the person reports."""


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of a User."""

    ref: Annotated[
        Reference["User"] | None,
        Mutability.immutable,
        Field(serialization_alias="$ref", validation_alias="$ref"),
    ] = None
    """The address of that User."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always User: there are no groups of groups."""


class Group(Resource):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name of the group, and of the tag that its members bear."""

    members: list[Member] | None = None
    """Who is in it."""

    Members: ClassVar[type[ComplexAttribute]] = Member


ENTERPRISE = str(Enterprise.__schema__)

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="A token made on the page “Directory”, as Authorization: Bearer …",
            primary=True,
        )
    ],
)

PROVIDER = ScimProvider(
    models=[User, Enterprise, Group],
    resource_types=[ResourceType.from_resource(User[Enterprise]), ResourceType.from_resource(Group)],
    config=CONFIG,
    # As Microsoft Entra and Okta speak: attributes that are not kept here, the value of what to remove, an address
    # that is not there yet.
    policy=ScimPolicy(
        unknown=ScimPolicy.Unknown.ignore,
        remove_value_as_filter=ScimPolicy.RemoveValue.apply,
        unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    ),
)
Person = User[Enterprise]
