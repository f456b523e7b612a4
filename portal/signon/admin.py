"""allauth's own tables stay empty: ways come from the environment, links are ours. So nobody edits them here."""

from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

for unused in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(unused)
