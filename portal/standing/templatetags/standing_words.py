"""What the pages of standing say of codes."""

from django import template

from portal.standing import message_types

register = template.Library()
register.filter("message_type", message_types.named)
