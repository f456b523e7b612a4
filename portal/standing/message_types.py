"""What the feeds call the types of their messages, in words. A type that no documentation names is shown as it came."""

from django.utils.translation import pgettext_lazy

NAMES = {
    "text": pgettext_lazy("message type", "text"),
    "image": pgettext_lazy("message type", "image"),
    "voice": pgettext_lazy("message type", "voice message"),
    "video": pgettext_lazy("message type", "video"),
    "file": pgettext_lazy("message type", "file"),
    "link": pgettext_lazy("message type", "link"),
    "card": pgettext_lazy("message type", "contact card"),
    "location": pgettext_lazy("message type", "location"),
    "emotion": pgettext_lazy("message type", "sticker"),
    "weapp": pgettext_lazy("message type", "mini program"),
    "chatrecord": pgettext_lazy("message type", "forwarded chat history"),
    "mixed": pgettext_lazy("message type", "text and images"),
    "revoke": pgettext_lazy("message type", "recall of a message"),
    "agree": pgettext_lazy("message type", "consent to archiving"),
    "disagree": pgettext_lazy("message type", "refusal of archiving"),
    "todo": pgettext_lazy("message type", "to-do item"),
    "vote": pgettext_lazy("message type", "poll"),
    "collect": pgettext_lazy("message type", "form to fill in"),
    "redpacket": pgettext_lazy("message type", "red packet"),
    "external_redpacket": pgettext_lazy("message type", "red packet between firms"),
    "meeting": pgettext_lazy("message type", "meeting invitation"),
    "meeting_notification": pgettext_lazy("message type", "meeting control"),
    "calendar": pgettext_lazy("message type", "calendar entry"),
    "meeting_voice_call": pgettext_lazy("message type", "recorded call"),
    "voip_doc_share": pgettext_lazy("message type", "document shared in a call"),
    "voiptext": pgettext_lazy("message type", "call"),
    "sphfeed": pgettext_lazy("message type", "Channels video"),
    "solitaire": pgettext_lazy("message type", "group list"),
    "switch": pgettext_lazy("message type", "change of corporation"),
    "docmsg": pgettext_lazy("message type", "online document"),
    "markdown": pgettext_lazy("message type", "formatted text"),
    "news": pgettext_lazy("message type", "article"),
    "qydiskfile": pgettext_lazy("message type", "file from the firm’s drive"),
    "note": pgettext_lazy("message type", "note"),
    "mail": pgettext_lazy("message type", "e-mail"),
}


def named(msgtype: str) -> str:
    return str(NAMES.get(msgtype, msgtype)) or "–"
