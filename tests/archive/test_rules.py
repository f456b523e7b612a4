from datetime import UTC, date, datetime, timedelta

import pytest

from archive import policy, rules
from archive.metrics import Behind, Evidence, Metrics, Seen
from archive.rules import OpenFinding

TODAY = date(2026, 10, 16)


@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        ("wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01", "contact"),
        ("woEx4mPlEAApArTnErF1rMAAAAAAAA05", "contact"),
        ("wbEx4mPlEAAr0b0tAAAAAAAAAAAAAA01", "robot"),
        ("wong.k", "unknown"),  # the prefix alone is not enough
        ("wmshort", "unknown"),
        ("wm" + "a" * 16, "contact"),
        ("wm" + "a" * 15, "unknown"),
        ("WMEx4mPlEAAc0nTaCt0neAAAAAAAAA01", "unknown"),
        ("wm.with.dots.and.so.on", "unknown"),
        ("13800138000", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_handle_is_told_by_its_whole_shape(handle, kind):
    assert rules.kind_by_shape(handle) == kind


@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        ("li.na@example.com", "unknown"),
        ("LI.NA@EXAMPLE.COM", "unknown"),
        ("x@capture.example.com", "contact"),
        ("x@notexample.com", "contact"),
        ("x@outside.example", "contact"),
        ("x@localhost", "unknown"),
        ("a@b@outside.example", "unknown"),
        ("li.na", "unknown"),
        ("wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01", "contact"),
        ("", "unknown"),
    ],
)
def test_an_address_is_told_by_its_domain_where_handles_may_be_addresses(handle, kind):
    assert rules.kind_by_shape(handle, frozenset({"example.com"})) == kind
    assert rules.kind_by_shape("li.na@example.com") == "unknown"


def test_domains_where_anybody_has_an_address_are_not_the_firms():
    assert rules.domains_of(["a@Example.com", "b@gmail.com", "c@163.com", "none"]) == {"example.com"}


def test_a_number_and_what_a_table_makes_of_it():
    assert rules.with_zeros("318")[:3] == ["0318", "00318", "000318"]
    assert len(rules.with_zeros("318")[-1]) == rules.ZEROS_LOST
    assert rules.with_zeros("li.na") == rules.with_zeros("") == rules.with_zeros("٣١٨") == []
    assert rules.without_zeros("000318") == ["00318", "0318", "318"]
    assert rules.without_zeros("000") == ["00", "0"]
    assert rules.without_zeros("318") == rules.without_zeros("li.na") == []
    assert all(number in rules.without_zeros(whole) for number in ("318", "0") for whole in rules.with_zeros(number))


@pytest.mark.parametrize(("seconds", "latency"), [(40, 40), (0, 0), (-1, 0), (-120, 0), (-121, None)])
def test_a_clock_may_be_two_minutes_behind(seconds, latency):
    sent = datetime(2026, 10, 12, tzinfo=UTC)
    assert rules.latency_seconds(sent, sent + timedelta(seconds=seconds)) == latency
    assert rules.latency_seconds(sent, None) is rules.latency_seconds(None, sent) is None


def state(*findings: OpenFinding, **facts) -> str:
    dull = {"has_identity": True, "has_seat": True, "captured_lately": True, "is_silent": False, "is_late": False}
    return rules.archive_state(findings=findings, today=TODAY, **{**dull, **facts})[0]


def finding(kind: str = "after_refusal", severity: int = 3, confirmed: bool = False, due: int = 0) -> OpenFinding:
    return OpenFinding(kind, severity, confirmed, TODAY + timedelta(days=due))


@pytest.mark.parametrize(
    ("findings", "facts", "expected"),
    [
        ([], {}, "clean"),
        ([], {"has_seat": None}, "clean"),
        ([], {"has_identity": False}, "no_data"),
        ([], {"has_seat": False, "captured_lately": False}, "no_data"),
        ([], {"has_seat": None, "captured_lately": False}, "no_data"),
        ([], {"has_seat": False, "captured_lately": True}, "clean"),
        ([], {"has_seat": True, "captured_lately": False}, "clean"),
        ([], {"is_silent": True}, "attention"),
        ([], {"is_late": True}, "attention"),
        ([finding()], {}, "attention"),
        ([finding(due=-1)], {}, "breach"),
        ([finding(severity=2, due=-1)], {}, "attention"),
        ([finding(severity=1)], {}, "clean"),
        ([finding("off_channel")], {}, "attention"),
        ([finding("off_channel", confirmed=True)], {}, "breach"),
        ([finding("deletion_request", confirmed=True)], {}, "breach"),
        ([finding("recall_pattern", 2, confirmed=True)], {}, "attention"),
        ([finding("unseated_client_talk")], {}, "breach"),
        ([finding("off_channel", confirmed=True)], {"has_seat": False, "captured_lately": False}, "breach"),
    ],
)
def test_the_state_of_a_person(findings, facts, expected):
    assert state(*findings, **facts) == expected


def test_the_state_comes_with_its_reasons():
    found = rules.archive_state(
        has_identity=True,
        has_seat=True,
        captured_lately=True,
        findings=[finding("off_channel", confirmed=True), finding(), finding()],
        is_silent=True,
        is_late=False,
        today=TODAY,
    )
    assert found == ("breach", [rules.Reason("confirmed", "off_channel", 1)])
    assert rules.archive_state(
        has_identity=True,
        has_seat=True,
        captured_lately=True,
        findings=[finding(), finding()],
        is_silent=True,
        is_late=False,
        today=TODAY,
    ) == ("attention", [rules.Reason("open", "after_refusal", 2), rules.Reason("silent")])


def opened(metrics: Metrics, evidence: Evidence | None = None) -> list[str]:
    found = rules.record_openings(
        employee=1,
        uid="u",
        month=date(2026, 10, 1),
        until=TODAY,
        metrics=metrics,
        evidence=evidence or Evidence(),
        policy=policy.current(),
    )
    return [one.kind for one in found]


@pytest.mark.parametrize(
    ("metrics", "kinds"),
    [
        (Metrics(), []),
        (Metrics(recalls=5, sent=99), ["recall_pattern"]),
        (Metrics(recalls=5, sent=100), []),
        (Metrics(recalls=4, sent=10), []),
        (Metrics(recalls=1, sent=100, signal_recalls=1), ["recall_pattern"]),
        (Metrics(after_refusal=1), ["after_refusal"]),
        (Metrics(sent_unseated=1), ["unseated_client_talk"]),
        (Metrics(seat_days=5), ["silent_seat"]),
        (Metrics(seat_days=4), []),
        (Metrics(seat_days=20, captured=1, longest_silence=9), []),
        (Metrics(seat_days=20, captured=1, longest_silence=10), ["silent_seat"]),
        (Metrics(captured=1, drop_percent=24), ["silent_seat"]),
        (Metrics(captured=1, drop_percent=25), []),
        (Metrics(captured=1, drop_percent=None), []),
    ],
)
def test_what_a_month_opens(metrics, kinds):
    assert opened(metrics) == kinds


def test_a_finding_names_the_first_message_behind_it():
    late, early = (
        Seen(n, f"m{n}", "content", "text", datetime(2026, 10, day, tzinfo=UTC), date(2026, 10, day))
        for n, day in ((1, 15), (2, 14))
    )
    behind = Behind()
    for one in (late, early):
        behind.add(one)
    [found] = rules.record_openings(
        employee=1,
        uid="u",
        month=date(2026, 10, 1),
        until=TODAY,
        metrics=Metrics(after_refusal=2),
        evidence=Evidence(after_refusal=behind),
        policy=policy.current(),
    )
    assert (found.key, found.message, found.on) == ("after_refusal:u:2026-10", 2, date(2026, 10, 14))
    assert found.facts["messages"] == ["m1", "m2"]


def test_consent_is_due_a_week_after_the_first_message():
    terms = policy.current()
    assert not rules.consent_is_due(date(2026, 10, 12), date(2026, 10, 18), terms)
    assert rules.consent_is_due(date(2026, 10, 12), date(2026, 10, 19), terms)


def test_the_pace_of_an_import():
    assert rules.pace(lines=1000, offset=250, size=1000, seconds=10) == rules.Pace(100, 30)
    assert rules.pace(lines=0, offset=0, size=1000, seconds=10) == rules.Pace(None, None)
