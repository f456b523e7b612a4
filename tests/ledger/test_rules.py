from datetime import UTC, datetime, timedelta, timezone

import pytest

from portal.ledger import rules

MOMENT = datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC)
# Computed apart from the code, with hmac, json and hashlib alone: see docs/ledger.md.
VECTOR_COMMITMENT = "ae8423d5d3764eb0b811b5279fe685299c035b9d7a9354b94a043ff00358ca88"
VECTOR_DIGEST = "8c56c0bb234f9e1d8319a849cbe77695e527dc9c86507020fd7af3fe268853a8"


def test_canonical_json_sorts_keys_and_leaves_no_spaces():
    assert rules.canonical({"b": [1, None, True], "a": "张伟"}) == '{"a":"张伟","b":[1,null,true]}'.encode()


def test_a_moment_is_written_in_utc_with_microseconds():
    shanghai = MOMENT.astimezone(timezone(timedelta(hours=8)))
    assert rules.canonical({"at": shanghai}) == b'{"at":"2026-03-31T15:59:59.000000Z"}'


@pytest.mark.parametrize("value", [1.5, 2**53 + 1, {1: "a"}, {"a": {2}}, datetime(2026, 1, 1), b"bytes"])  # noqa: DTZ001
def test_what_has_no_agreed_form_is_refused(value):
    with pytest.raises(rules.NotCanonical):
        rules.canonical({"value": value})


def test_digest_of_a_known_entry_never_changes():
    """The test vector of docs/ledger.md: if this fails, old ledgers can no longer be verified."""
    commitment = rules.commitment(b"\x01" * 32, b'{"before":null}')
    digest = rules.entry_digest(
        seq=1,
        at=MOMENT,
        verb="people.added",
        actor="system:import_people",
        subject="0" * 32,
        commitment=commitment,
        prev=rules.GENESIS,
    )
    assert (commitment.hex(), digest.hex()) == (VECTOR_COMMITMENT, VECTOR_DIGEST)


@pytest.mark.parametrize(
    "change", [{"seq": 2}, {"verb": "x"}, {"actor": "x"}, {"subject": "x"}, {"prev": b"\x02" * 32}]
)
def test_digest_covers_every_column(change):
    fields = {
        "seq": 1,
        "at": MOMENT,
        "verb": "v",
        "actor": "a",
        "subject": "s",
        "commitment": b"\x03" * 32,
        "prev": rules.GENESIS,
    }
    assert rules.entry_digest(**fields) != rules.entry_digest(**{**fields, **change})


def test_a_version_from_the_future_is_refused():
    with pytest.raises(ValueError, match="version 9"):
        rules.entry_digest(seq=1, at=MOMENT, verb="v", actor="a", subject="s", commitment=b"", prev=rules.GENESIS, v=9)
