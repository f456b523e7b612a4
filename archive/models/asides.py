from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.models.feeds import Import


class SetAside(models.Model):
    """A line, mail or row that could not be taken, with its bytes for as long as words are kept, to be repaired."""

    class Reason(models.TextChoices):
        TOO_LONG = "too_long", _("longer than 1 MiB")
        NOT_UTF8 = "not_utf8", _("not UTF-8")
        NOT_JSON = "not_json", _("not JSON, or cut off")
        NOT_AN_OBJECT = "not_an_object", _("JSON, but not an object")
        TOO_DEEP = "too_deep", _("nested too deeply")
        TOO_MANY_KEYS = "too_many_keys", _("too many keys in one object")
        DUPLICATE_KEY = "duplicate_key", _("the same key twice in one object")
        BAD_NUMBER = "bad_number", _("a number that is none, or too large to be exact")
        NO_SEQ = "no_seq", _("no usable sequence number")
        SEQ_TOO_LARGE = "seq_too_large", _("a sequence number of more than 63 bits, which no database here can hold")
        NO_MSG = "no_msg", _("no message in it")
        NO_MSGID = "no_msgid", _("the message has no id")
        FIELD_TOO_LONG = "field_too_long", _("an id is longer than any real one")
        TOO_MANY_RECIPIENTS = "too_many_recipients", _("more recipients than any room holds")
        UNPACKS_TOO_LARGE = "unpacks_too_large", _("unpacks to more than any honest file does")
        CANNOT_UNPACK = "cannot_unpack", _("damaged: it cannot be unpacked from here on")
        NOT_A_MAIL = "not_a_mail", _("not a mail")
        MAIL_TOO_LARGE = "mail_too_large", _("a mail that is too large")
        MAIL_TOO_MANY_PARTS = "mail_too_many_parts", _("a mail with too many parts or levels")
        NO_SENDER = "no_sender", _("nobody it is from")
        BAD_MEMBER = "bad_member", _("a file in the archive that is damaged, empty, or no mail")
        MANIFEST_DIFFERS = "manifest_differs", _("the ZIP does not hold what its list says")
        BAD_ROW = "bad_row", _("a row with other columns than the heading")
        BAD_TIME = "bad_time", _("a time that cannot be read")

    class Settled(models.TextChoices):
        """What a person says of a line that nobody can read, or needs to."""

        HERE = "here", _("what it held is here by another line")
        NOTHING = "nothing", _("it held no record")
        LOST = "lost", _("what it held is lost")

    run = models.ForeignKey(Import, models.CASCADE, related_name="asides")
    line_no = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(help_text="First byte of the line in the file")
    length = models.PositiveBigIntegerField(help_text="Bytes of the whole line")
    reason = models.CharField(max_length=20, choices=Reason)
    sealed = models.BinaryField(
        null=True, help_text="The first 64 KiB of the line, encrypted; NULL: deleted, or never kept"
    )
    key_id = models.CharField(max_length=16, blank=True, help_text="Which key it is encrypted with")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the first 64 KiB, hex: it stays")
    delete_after = models.DateTimeField(null=True, help_text="NULL: no bytes, or as long as policy says")
    maybe_seq = models.PositiveBigIntegerField(null=True, help_text="The number it seems to carry; NULL: none found")
    repaired_by = models.ForeignKey(
        Import, models.SET_NULL, null=True, related_name="repaired", help_text="The import that read it again, or NULL"
    )
    settled_as = models.CharField(max_length=8, choices=Settled, blank=True, help_text="Empty: open, or read again")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: nobody has"
    )
    settled_at = models.DateTimeField(null=True, help_text="NULL: nobody has")
    settled_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["line_no"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "line_no"], name="archive_aside_line_once"),
            models.CheckConstraint(
                condition=Q(delete_after=None) | Q(sealed__isnull=False), name="archive_aside_deletes_what_is_there"
            ),
            models.CheckConstraint(
                condition=Q(settled_as="", settled_by=None, settled_at=None, settled_why="")
                | (~Q(settled_as="") & Q(settled_by__isnull=False, settled_at__isnull=False) & ~Q(settled_why="")),
                name="archive_aside_settled_by_whom_when_and_why",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["maybe_seq"], condition=Q(maybe_seq__isnull=False), name="archive_aside_by_maybe_seq"),
            models.Index(
                fields=["delete_after"], condition=Q(delete_after__isnull=False), name="archive_aside_to_delete"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} line {self.line_no}"
