"""Who may open what: every named URL stands here once, and is tried by every role.

``own`` is what belongs to the employee: their attempt, certificate, person page. Whoever is not named gets 403 or 404
(a page that needs a role, somebody else's object); a visitor is sent to sign in.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from archive import lexicon_text
from archive import services as archive
from archive.models import AnswerCopy, Import, Record, SetAside, Unmatched
from archive.services import lexicons
from portal.evidence import services as evidence
from portal.evidence.models import Pack
from portal.hr import services as hr
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people import services as people_services
from portal.people.models import Employee
from portal.reminders import bounces as reminders_bounces
from portal.reminders import rounds as reminders_rounds
from portal.reminders.models import Delivery, Digest, Foreseen
from portal.scim import tokens as scim_tokens
from portal.scim.models import Token
from portal.standing import knowledge, permission_feed
from portal.standing.models import FeedToken, RemedyTask
from quizzes import services as quizzes
from quizzes import uploads
from quizzes.models import Question, Signal
from tests.archive.conftest import line as one_message
from tests.training.test_load_courses import packed
from training import course_uploads, exempting, republishing
from training import services as training
from training.models import Certificate, CertificateExport, Course, Lesson

EVERYBODY = frozenset(  # all who are signed in
    {"employee", "colleague", "manager", "head", "other_manager", "hr", "compliance", "auditor", "author", "operator"}
)
OWNER = frozenset({"employee"})
ABOVE = frozenset({"manager", "head"})
MANAGERS = ABOVE | {"other_manager"}
STAFF_EYES = frozenset({"hr", "compliance", "auditor"})
OVERSIGHT = frozenset({"compliance", "auditor"})
COMPLIANCE = frozenset({"compliance"})
AUTHOR = frozenset({"author"})
OPERATOR = frozenset({"operator"})
BANK_EYES = OVERSIGHT | AUTHOR


@dataclass(frozen=True)
class Line:
    """``may``: roles that get in. ``visitor``: somebody not signed in gets in too. ``args``: made from the house."""

    may: frozenset[str]
    visitor: bool = False
    args: Callable[[dict], list] = lambda house: []
    method: str = "get"
    data: Callable[[dict], dict] = lambda house: {}
    ok: tuple[int, ...] = (200, 302)
    by_token: bool = False  # a door for machines: 401 for whoever comes without a token, signed in or not


TABLE = {
    "people:session_list": Line(EVERYBODY),
    "people:end_sessions": Line(EVERYBODY, method="post", ok=(302,)),
    "healthz": Line(EVERYBODY, visitor=True),
    "operations:live": Line(EVERYBODY, visitor=True),
    "operations:ready": Line(EVERYBODY, visitor=True),
    "operations:figures": Line(frozenset(), by_token=True),
    "operations:overview": Line(OPERATOR),
    "operations:again": Line(OPERATOR, args=lambda h: [h["given_up"].uid], method="post", ok=(302,)),
    # signing in: open to visitors; allauth sends who is signed in onward
    "account_login": Line(EVERYBODY, visitor=True),
    "account_logout": Line(EVERYBODY, visitor=True),
    "account_signup": Line(EVERYBODY, visitor=True),
    "account_inactive": Line(EVERYBODY, visitor=True),
    "account_reauthenticate": Line(EVERYBODY),
    "account_change_password": Line(EVERYBODY),
    "account_set_password": Line(EVERYBODY),
    "account_reset_password": Line(EVERYBODY, visitor=True),
    "account_reset_password_done": Line(EVERYBODY, visitor=True),
    "account_reset_password_from_key": Line(EVERYBODY, visitor=True, args=lambda h: ["abc", "nothing"]),
    "account_reset_password_from_key_done": Line(EVERYBODY, visitor=True),
    # signing in elsewhere; tests/signon has ways that are set up
    "signon:oidc_login": Line(EVERYBODY, visitor=True, args=lambda h: ["nowhere"], ok=(404,)),
    "signon:oidc_callback": Line(EVERYBODY, visitor=True, args=lambda h: ["nowhere"], ok=(404,)),
    "people:language": Line(EVERYBODY, visitor=True, method="post", data=lambda h: {"language": "en"}),
    "jobs:progress": Line(OWNER, args=lambda h: [h["job"].uid]),
    "jobs:retry": Line(OWNER, args=lambda h: [h["job"].uid], method="post"),
    "jobs:stop": Line(OWNER, args=lambda h: [h["job"].uid], method="post"),
    # standing
    "standing:today": Line(EVERYBODY),
    "standing:record": Line(EVERYBODY),
    "standing:record_month": Line(OWNER, args=lambda h: [h["month"]]),
    "standing:person_month": Line(OWNER | ABOVE | OVERSIGHT, args=lambda h: [h["employee"].uid, h["month"]]),
    "standing:team": Line(MANAGERS),
    "standing:team_findings": Line(MANAGERS),
    "standing:team_finding_file": Line(MANAGERS, args=lambda h: ["csv"]),
    "standing:person": Line(OWNER | ABOVE | STAFF_EYES, args=lambda h: [h["employee"].uid]),
    "standing:remind": Line(ABOVE | {"hr", "compliance"}, args=lambda h: [h["employee"].uid], method="post"),
    "standing:people": Line(STAFF_EYES),
    "standing:firm": Line(OVERSIGHT),
    "standing:effect": Line(OVERSIGHT),
    "standing:firm_file": Line(OVERSIGHT, args=lambda h: ["departments", "csv"]),
    "standing:module_tries": Line(OVERSIGHT, args=lambda h: [h["module"]]),
    "standing:knowledge_file": Line(OVERSIGHT, args=lambda h: [h["module"], "xlsx"]),
    "standing:finding_list": Line(OVERSIGHT),
    "standing:finding": Line(OVERSIGHT, args=lambda h: [h["finding"].uid]),
    "standing:finding_do": Line(
        frozenset({"compliance"}),
        args=lambda h: [h["finding"].uid],
        method="post",
        data=lambda h: {"act": "note", "text": "seen"},
    ),
    "standing:finding_words": Line(
        frozenset({"compliance"}), args=lambda h: [h["finding"].uid], method="post", data=lambda h: {"text": "why"}
    ),
    "standing:finding_bulk": Line(frozenset({"compliance"}), method="post", data=lambda h: {"act": "claim"}),
    "standing:finding_file": Line(OVERSIGHT, args=lambda h: ["csv"]),
    "standing:team_file": Line(MANAGERS, args=lambda h: ["xlsx"]),
    "standing:people_file": Line(STAFF_EYES, args=lambda h: ["csv"]),
    "standing:sample_list": Line(OVERSIGHT),
    "standing:sample": Line(OVERSIGHT, args=lambda h: [h["month"]]),
    "standing:sample_item": Line(
        frozenset({"compliance"}), args=lambda h: [h["month"], 1], method="post", data=lambda h: {"result": "fine"}
    ),
    "standing:remedy_table": Line(OVERSIGHT),
    "standing:remedy": Line(OWNER, args=lambda h: [h["remedy"].uid]),
    "standing:report": Line(EVERYBODY - {"auditor"}),
    "standing:slip": Line(OWNER, args=lambda h: [h["finding"].self_report.uid]),
    "standing:statement": Line(EVERYBODY - {"auditor"}),
    "standing:answer": Line(OWNER, args=lambda h: [h["finding"].uid], method="post", data=lambda h: {"text": "so"}),
    "standing:feed": Line(frozenset({"compliance"})),
    "standing:feed_token_end": Line(frozenset({"compliance"}), args=lambda h: [h["feed_token"].pk], method="post"),
    "standing:api": Line(frozenset(), by_token=True),
    "standing:firm_api": Line(frozenset(), by_token=True),
    # reminders
    "reminders:overview": Line(STAFF_EYES),
    "reminders:terms": Line(STAFF_EYES),
    "reminders:preview": Line(STAFF_EYES),
    "reminders:foreseen": Line(STAFF_EYES, args=lambda h: [h["employee"].uid]),
    "reminders:sent": Line(STAFF_EYES),
    "reminders:digest": Line(STAFF_EYES, args=lambda h: [h["digest"].uid]),
    "reminders:bounce_list": Line(STAFF_EYES),
    "reminders:bounce_settle": Line(frozenset({"hr"}), args=lambda h: [h["bounce"].pk], method="post"),
    "reminders:late_people": Line(MANAGERS),
    "reminders:handle": Line(ABOVE, args=lambda h: [h["employee"].uid], method="post"),
    # scim
    "scim:directory": Line(frozenset({"hr"})),
    "scim:token_end": Line(frozenset({"hr"}), args=lambda h: [h["directory_token"].pk], method="post"),
    "scim:door": Line(frozenset(), args=lambda h: ["/Users"], by_token=True),
    # quizzes
    "quizzes:bank_list": Line(BANK_EYES),
    "quizzes:analyse": Line(BANK_EYES - {"auditor"}, method="post"),
    "quizzes:bank": Line(BANK_EYES, args=lambda h: [h["question"].bank.slug]),
    "quizzes:question": Line(BANK_EYES, args=lambda h: [h["question"].bank.slug, h["question"].slug]),
    "quizzes:new": Line(frozenset({"author"}), args=lambda h: [h["question"].bank.slug]),
    "quizzes:edit": Line(frozenset({"author"}), args=lambda h: [h["question"].bank.slug, h["question"].slug]),
    "quizzes:upload": Line(AUTHOR),
    "quizzes:dry_run": Line(AUTHOR, args=lambda h: [h["upload"].uid]),
    "quizzes:preview": Line(frozenset({"author"}), method="post", data=lambda h: {"text": "- id: q"}),
    "quizzes:review": Line(
        frozenset({"author"}), args=lambda h: [h["question"].bank.slug, h["question"].slug], method="post"
    ),
    "quizzes:withdraw": Line(AUTHOR, args=lambda h: [h["question"].bank.slug, h["question"].slug], method="post"),
    "quizzes:retag": Line(frozenset({"author"}), args=lambda h: [h["question"].bank.slug], method="post"),
    "quizzes:export": Line(BANK_EYES, args=lambda h: [h["question"].bank.slug], method="post"),
    "quizzes:signal_list": Line(OVERSIGHT),
    "quizzes:judge": Line(
        frozenset({"compliance"}),
        args=lambda h: [h["signal"].uid],
        method="post",
        data=lambda h: {"verdict": "nothing", "note": "looked at"},
    ),
    # training
    "training:course_list": Line(EVERYBODY),
    "training:course": Line(OWNER, args=lambda h: [h["course"]]),
    "training:edition_list": Line(BANK_EYES),
    "training:edition": Line(BANK_EYES, args=lambda h: [h["course"], 1]),
    "training:lesson": Line(OWNER, args=lambda h: [h["course"], h["module"], h["lesson"]]),
    "training:reading": Line(OWNER, args=lambda h: [h["course"], h["module"], h["lesson"]], method="post", ok=(204,)),
    "training:quiz": Line(OWNER, args=lambda h: [h["course"], h["module"]]),
    "training:components": Line(frozenset({"author"})),
    "training:attempt": Line(OWNER, args=lambda h: [h["attempt"].uid]),
    "training:answer": Line(OWNER, args=lambda h: [h["attempt"].uid, 1], method="post"),
    "training:result": Line(OWNER, args=lambda h: [h["attempt"].uid]),
    "training:as_shown": Line(OWNER | OVERSIGHT, args=lambda h: [h["attempt"].uid]),
    "training:as_shown_file": Line(
        OWNER | OVERSIGHT,
        args=lambda h: [h["attempt"].uid],
        method="post",
        data=lambda h: {"reason": "a complaint about the quiz"},
    ),
    "training:attempt_list": Line(OVERSIGHT, args=lambda h: [h["employee"].uid]),
    "training:extra_time_list": Line(frozenset({"hr"})),
    "training:extra_time_end": Line(frozenset({"hr"}), args=lambda h: [h["extra_time"].uid], method="post"),
    "training:next_edition": Line(AUTHOR, args=lambda h: [h["course"]]),
    "training:edition_publish": Line(AUTHOR, args=lambda h: [h["course"]], method="post"),
    "training:connect": Line(AUTHOR, args=lambda h: [h["course"]], method="post"),
    "training:disconnect": Line(AUTHOR, args=lambda h: [h["course"], h["connection"].pk], method="post"),
    "training:upload_list": Line(AUTHOR),
    "training:upload": Line(AUTHOR, args=lambda h: [h["course_upload"].uid]),
    "training:upload_publish": Line(AUTHOR, args=lambda h: [h["course_upload"].uid], method="post"),
    "training:upload_questions": Line(AUTHOR, args=lambda h: [h["course_upload"].uid, "01-first"]),
    "training:upload_lesson": Line(AUTHOR, args=lambda h: [h["course_upload"].uid, "01-first", "01-words"]),
    "training:upload_drop": Line(AUTHOR, args=lambda h: [h["course_upload"].uid], method="post"),
    "training:fresh": Line(EVERYBODY),
    "training:fresh_link": Line(EVERYBODY, args=lambda h: ["nothing"]),
    "training:beliefs": Line(OVERSIGHT),
    "training:rule_list": Line(STAFF_EYES),
    "training:rule_new": Line(frozenset({"hr"})),
    "training:rule_run": Line(frozenset({"hr"}), method="post"),
    "training:rule": Line(STAFF_EYES, args=lambda h: [h["rule"].pk]),
    "training:person_duties": Line(OWNER | ABOVE | STAFF_EYES, args=lambda h: [h["employee"].uid]),
    "training:exemption_list": Line(MANAGERS | {"hr", "compliance"}),
    "training:exemption_decide": Line(
        frozenset({"hr", "compliance"}),
        args=lambda h: [h["ask"].uid],
        method="post",
        data=lambda h: {"refuse": "1", "reason": "no"},
    ),
    "training:completion_import": Line(frozenset({"hr"})),
    "training:policy_list": Line(EVERYBODY),
    "training:policy_new": Line(frozenset({"compliance"})),
    "training:policy": Line(EVERYBODY, args=lambda h: [h["policy"].policy.slug]),
    "training:policy_signatures": Line(MANAGERS | STAFF_EYES, args=lambda h: [h["policy"].policy.slug]),
    "training:recall_list": Line(OVERSIGHT),
    "training:recall_begin": Line(
        frozenset({"compliance"}), args=lambda h: [h["question"].bank.slug, h["question"].slug]
    ),
    "training:recall": Line(OVERSIGHT, args=lambda h: [h["recall"].uid]),
    "training:recall_settle": Line(frozenset({"compliance"}), args=lambda h: [h["recall"].uid], method="post"),
    "training:recall_send_back": Line(frozenset({"compliance"}), args=lambda h: [h["recall"].uid], method="post"),
    "training:certificate_list": Line(EVERYBODY),
    "training:certificate_file": Line(OWNER | STAFF_EYES, args=lambda h: [h["certificate"].serial]),
    "training:badge_file": Line(OWNER | STAFF_EYES, args=lambda h: [h["certificate"].serial]),
    "training:certificate_search": Line(STAFF_EYES),
    "training:certificate": Line(STAFF_EYES, args=lambda h: [h["certificate"].serial]),
    "training:certificate_revoke": Line(
        frozenset({"hr", "compliance"}), args=lambda h: [h["certificate"].serial], method="post"
    ),
    "training:certificate_reissue": Line(
        frozenset({"hr", "compliance"}), args=lambda h: [h["certificate"].serial], method="post"
    ),
    "training:verify_form": Line(EVERYBODY, visitor=True),
    "training:verify": Line(EVERYBODY, visitor=True, args=lambda h: [h["certificate"].serial]),
    "training:signing_keys": Line(EVERYBODY, visitor=True),
    "training:did_document": Line(EVERYBODY, visitor=True),
    "training:status_list": Line(EVERYBODY, visitor=True, args=lambda h: [0]),
    "training:export_list": Line(frozenset({"hr"})),
    "training:export_file": Line(frozenset({"hr"}), args=lambda h: [h["export"].uid, 1]),
    # hr: deeds to a list that is in another state by then change nothing and lead back to it
    "hr:file_list": Line(frozenset({"hr"})),
    "hr:file": Line(frozenset({"hr"}), args=lambda h: [h["hr_file"].uid]),
    "hr:choose_columns": Line(frozenset({"hr"}), method="post", args=lambda h: [h["hr_file"].uid]),
    "hr:apply": Line(frozenset({"hr"}), method="post", args=lambda h: [h["hr_file"].uid]),
    "hr:put_away": Line(frozenset({"hr"}), method="post", args=lambda h: [h["hr_file"].uid]),
    # ledger
    "ledger:evidence": Line(OVERSIGHT, data=lambda h: {"seq": h["seal"].size}),
    "ledger:verify": Line(OVERSIGHT, method="post"),
    "ledger:seal_file": Line(OVERSIGHT, args=lambda h: [h["seal"].number]),
    "ledger:join_file": Line(OVERSIGHT, data=lambda h: {"first": h["seal"].size}),
    "ledger:proof_file": Line(OVERSIGHT, args=lambda h: [h["seal"].size]),
    # evidence
    "evidence:pack_list": Line(OVERSIGHT),
    "evidence:pack": Line(OVERSIGHT, args=lambda h: [h["pack"].uid]),
    "evidence:pack_decide": Line(
        OVERSIGHT,
        args=lambda h: [h["pack"].uid],
        method="post",
        data=lambda h: {"decision": "refuse", "reason": "not needed"},
    ),
    "evidence:pack_file": Line(OVERSIGHT, args=lambda h: [h["ready_pack"].uid], method="post"),  # confirm who you are
    "evidence:find": Line(OVERSIGHT, data=lambda h: {"of": h["certificate"].serial}),
    "evidence:entry": Line(OVERSIGHT, args=lambda h: [h["seal"].size]),
    "evidence:entry_file": Line(
        OVERSIGHT, args=lambda h: [h["seal"].size], method="post", data=lambda h: {"reason": "asked"}, ok=(200,)
    ),
    "evidence:history": Line(EVERYBODY - {"auditor"}),
    "evidence:person_history": Line(OWNER | ABOVE | STAFF_EYES, args=lambda h: [h["employee"].uid]),
    # archive: deeds to a version that is no draft any more change nothing and lead back to its page
    "archive:lexicon": Line(OVERSIGHT),
    "archive:lexicon_begin": Line(frozenset({"compliance"}), method="post"),
    "archive:lexicon_begin_shipped": Line(frozenset({"compliance"}), method="post"),
    "archive:lexicon_begin_from": Line(frozenset({"compliance"}), args=lambda h: [h["lexicon"].number], method="post"),
    "archive:lexicon_back": Line(frozenset({"compliance"}), args=lambda h: [h["lexicon"].number], method="post"),
    "archive:lexicon_back_shipped": Line(frozenset({"compliance"}), method="post"),
    "archive:lexicon_version": Line(OVERSIGHT, args=lambda h: [h["lexicon"].number]),
    "archive:lexicon_line": Line(
        OVERSIGHT, args=lambda h: [h["lexicon"].number], method="post", data=lambda h: {"line": "hello"}
    ),
    "archive:lexicon_trial": Line(frozenset({"compliance"}), args=lambda h: [h["lexicon"].number], method="post"),
    "archive:lexicon_switch_on": Line(frozenset({"compliance"}), args=lambda h: [h["lexicon"].number], method="post"),
    "archive:lexicon_throw_away": Line(frozenset({"compliance"}), args=lambda h: [h["lexicon"].number], method="post"),
    "archive:push": Line(frozenset(), args=lambda h: ["wecom"], method="post", by_token=True),
    "archive:push_state": Line(frozenset(), args=lambda h: ["wecom"], method="post", by_token=True),
    "archive:state_new": Line(COMPLIANCE),
    "archive:source_state": Line(OVERSIGHT, args=lambda h: ["wecom"]),
    "archive:state_copy": Line(OVERSIGHT, args=lambda h: ["wecom", h["answer_copy"].pk]),
    "archive:import_list": Line(OVERSIGHT),
    "archive:import": Line(OVERSIGHT, args=lambda h: [h["import"].uid]),
    "archive:aside_file": Line(
        COMPLIANCE,
        args=lambda h: [h["import"].uid, h["aside"].line_no],
        method="post",
        data=lambda h: {"reason": "to mend the feed"},
        ok=(200,),
    ),
    "archive:keeping": Line(OVERSIGHT),
    "archive:hold_new": Line(frozenset({"compliance"})),
    "archive:hold": Line(OVERSIGHT, args=lambda h: [h["hold"].uid]),
    "archive:hold_lift": Line(
        frozenset({"compliance"}), args=lambda h: [h["hold"].uid], method="post", data=lambda h: {"reason": "closed"}
    ),
    "archive:disposal_ask": Line(
        frozenset({"compliance"}), method="post", data=lambda h: {"as_of": "2020-01-01", "reason": "yearly"}
    ),
    "archive:disposal": Line(OVERSIGHT, args=lambda h: [h["disposal"].uid]),
    "archive:disposal_decide": Line(
        frozenset({"compliance"}),
        args=lambda h: [h["disposal"].uid],
        method="post",
        data=lambda h: {"decision": "refuse", "reason": "not yet"},
    ),
    "archive:disposal_withdraw": Line(frozenset({"compliance"}), args=lambda h: [h["disposal"].uid], method="post"),
    "archive:disposal_stop": Line(
        frozenset({"compliance"}),
        args=lambda h: [h["disposal"].uid],
        method="post",
        data=lambda h: {"reason": "not yet"},
    ),
    "archive:aside_look": Line(
        COMPLIANCE,
        args=lambda h: [h["import"].uid, h["aside"].line_no],
        method="post",
        data=lambda h: {"reason": "to mend the feed"},
        ok=(200,),
    ),
    "archive:aside_settle": Line(COMPLIANCE, args=lambda h: [h["import"].uid, h["aside"].line_no], method="post"),
    "archive:import_numbering": Line(
        COMPLIANCE, args=lambda h: [h["import"].uid], method="post", data=lambda h: {"fits": "no", "reason": "seen"}
    ),
    "archive:aside_again": Line(COMPLIANCE, args=lambda h: [h["import"].uid, h["aside"].line_no], method="post"),
    "archive:aside_repair": Line(
        COMPLIANCE,
        args=lambda h: [h["import"].uid, h["aside"].line_no],
        method="post",
        data=lambda h: {"text": "still broken"},
        ok=(200,),
    ),
    "archive:source_new": Line(COMPLIANCE),
    "archive:source": Line(OVERSIGHT, args=lambda h: ["wecom"]),
    "archive:source_settings": Line(COMPLIANCE, args=lambda h: ["wecom"]),
    "archive:token_make": Line(
        COMPLIANCE, args=lambda h: ["wecom"], method="post", data=lambda h: {"label": "puller"}, ok=(200,)
    ),
    "archive:token_end": Line(COMPLIANCE, args=lambda h: ["wecom", h["token"].pk], method="post"),
    "archive:hole": Line(
        COMPLIANCE, args=lambda h: ["wecom", 2], method="post", data=lambda h: {"decision": "asked", "reason": ""}
    ),
    "archive:kind": Line(
        COMPLIANCE,
        args=lambda h: ["wecom"],
        method="post",
        data=lambda h: {"kind": "new_kind", "reason": "seen in the documentation"},
    ),
    "archive:handle": Line(OVERSIGHT, args=lambda h: [h["stranger"].pk]),
    "archive:match_undo": Line(
        COMPLIANCE, args=lambda h: [h["match"].pk], method="post", data=lambda h: {"reason": "", "source": "wecom"}
    ),
    "archive:robot_undo": Line(
        COMPLIANCE, args=lambda h: [h["robot"].pk], method="post", data=lambda h: {"reason": "", "source": "wecom"}
    ),
}


def named_urls(resolver: URLResolver | None = None, prefix: str = "") -> set[str]:
    found: set[str] = set()
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            namespace = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            found |= named_urls(entry, namespace)
        elif isinstance(entry, URLPattern):
            found.add(f"{prefix}{entry.name}")
    return found


def test_every_url_stands_in_the_table():
    ours = {name for name in named_urls() if not name.startswith("admin:")}
    assert ours == set(TABLE)


def _reminded(employee: Employee, hr_person: Employee) -> dict:
    """A digest that came back, and one that is foreseen."""
    content = {
        "items": [],
        "people": [],
        "more_people": 0,
        "done": [{"kind": "training", "title": "T"}],
        "calendar": [],
    }
    said = {"employee": employee, "language": "en", "content": content, "is_of_archive": False}
    on, now = timezone.localdate(), timezone.now()
    digest = Digest.objects.create(**said, on=on, made_at=now, terms_version=0)
    where = {"digest": digest, "employee": employee, "on": on, "channel": "mail", "address": employee.email}
    delivery = Delivery.objects.create(**where, due_at=now, state="bounced")
    bounce = reminders_bounces.note(delivery=delivery, how="refused", status="5.1.1", said="550 5.1.1 no such user")
    preview = reminders_rounds.ask_preview(by=hr_person)
    Foreseen.objects.create(**said, preview=preview, channels=["mail"])
    return {"digest": digest, "bounce": bounce}


@pytest.fixture(autouse=True)
def watched(settings) -> None:
    settings.MONITOR_TOKEN = "what monitoring shows"


@pytest.fixture
def house(make_employee, make_department, study, tmp_path) -> dict:
    """One employee with everything that can belong to one, and somebody of every role."""
    desk = make_department("Desk")
    head = make_employee(department=desk)
    manager = make_employee(department=desk, manager=head)
    employee = make_employee(department=desk, manager=manager)
    other_manager = make_employee()
    make_employee(manager=other_manager)
    house = {
        "head": head,
        "manager": manager,
        "employee": employee,
        "colleague": make_employee(department=desk, manager=manager),
        "other_manager": other_manager,
        "hr": make_employee(roles=("HR",)),
        "compliance": make_employee(roles=("Compliance",)),
        "auditor": make_employee(roles=("Auditor",), employee_no=None),
        "author": make_employee(roles=("Author",)),
        "operator": make_employee(roles=("Operator",)),
        "given_up": Job.objects.create(
            kind="x", key="x", state="failed", due_at=timezone.now(), ended_at=timezone.now(), error="OSError"
        ),
    }
    house |= study(employee)
    knowledge.take_stock(timezone.localdate())
    house["question"] = Question.objects.select_related("bank").order_by("pk").first()
    house["recall"] = quizzes.recall_question(
        question=Question.objects.order_by("-pk").first(), rule="full", reason="two are right", by=house["compliance"]
    )
    course = Course.objects.get(slug=house["course"])
    house["connection"] = republishing.connect(
        course=course,
        module=course.current.modules.first().slug,
        bank=house["question"].bank,
        tag="",
        questions=0,
        by=house["author"],
    )
    house["upload"] = uploads.keep(
        data=b"One {T}", name="q.gift", file_format="gift", bank="new", language="en", by=house["author"]
    )
    house["course_upload"] = course_uploads.keep(data=packed(), name="safe-talk.zip", by=house["author"])
    house["signal"] = Signal.objects.create(
        kind="fast", attempt=house["attempt"], figures={"seconds": 3, "reading": 60}, found_at=timezone.now()
    )
    house["rule"] = training.set_rule(
        course=house["certificate"].completion.edition.course, name="All", due_days=30, starts_on=timezone.localdate(),
        by="system:test",
    )  # fmt: skip
    house["ask"] = exempting.ask(
        employee=employee, course=house["rule"].course, reason="secondment", starts_on=timezone.localdate(),
        ends_on=timezone.localdate(), by=manager,
    )  # fmt: skip
    texts = {"title": {"en": "Policy"}, "text": {"en": "Words."}, "effective_from": timezone.localdate()}
    house["policy"] = training.publish_policy(slug="messaging", **texts, by="system:test")
    training.publish_policy(slug="quarterly", **texts, is_quarterly=True, by="system:test")
    house |= _reminded(employee, house["hr"])
    house["export"] = _export(house["hr"], house["certificate"])
    house["extra_time"] = quizzes.grant_extra_time(
        employee=employee, percent=25, reason="approved", starts_on=timezone.localdate(), ends_on=None, by=house["hr"]
    )
    listed = SimpleUploadedFile("people.csv", b"employee_no,name_en,email\nN1,Ann,ann@example.com\n")
    house["hr_file"] = hr.give(upload=listed, is_complete=False, by=house["hr"])
    house["job"] = jobs.start(kind="tests.count", key="one", by=employee)
    feed = tmp_path / "feed.jsonl"
    feed.write_text(FEED)
    archive.import_feed(source=archive.get_source("wecom"), path=feed, by="system:test")
    draft = lexicons.begin_draft(by=house["hr"])  # whoever writes it does not switch it on
    seen = lexicon_text.digest(draft.content)
    house["lexicon"] = lexicons.switch_on(draft=draft, note="as it ships", seen=seen, by=house["compliance"])
    answers = {"check_single_agree": {"errcode": 40014, "errmsg": "no"}}
    archive.import_state(source=archive.get_source("wecom"), data=answers, taken_at=timezone.now(), by="system:test")
    house["answer_copy"] = AnswerCopy.objects.get()
    house["import"], house["aside"] = Import.objects.get(), SetAside.objects.get()
    house |= _matched_by_hand(house["compliance"], employee)
    permission_feed.make_token(label="device manager", by=house["compliance"])
    house["feed_token"] = FeedToken.objects.get()
    scim_tokens.make(label="Entra", by=house["hr"])
    house["directory_token"] = Token.objects.get()
    house["month"] = _record(employee, tmp_path).month
    archive.draw_sample(month=house["month"], by="system:test")
    house["finding"] = archive.report_slip(
        employee=employee,
        happened_on=house["month"],
        where="wechat",
        began="client",
        about="business",
        has_moved=True,
        has_kept=True,
    ).finding
    lesson = Lesson.objects.filter(module__edition__course__slug=house["course"]).first()
    house["remedy"] = RemedyTask.objects.create(
        finding=house["finding"], employee=employee, lesson=lesson, assigned_at=timezone.now()
    )
    house["seal"] = ledger.seal()
    officer = make_employee(roles=("Compliance",))
    held = archive.Criteria(employee=employee)
    house["hold"] = archive.make_hold(name="Matter 7", reason="asked by counsel", criteria=held, by=officer)
    house["disposal"] = archive.ask_disposal(as_of=date(2020, 1, 1), reason="yearly", by=officer)
    house["pack"] = evidence.ask(scope="firm", day=timezone.localdate(), reason="inspection", by=officer)
    house["ready_pack"] = _pack(house["compliance"], employee)
    return house


def _pack(compliance: Employee, employee: Employee) -> Pack:
    pack = evidence.ask(scope="person", person=employee, day=timezone.localdate(), reason="inspection", by=compliance)
    pack.state, pack.file = Pack.State.READY, default_storage.save("packs/pack.zip", ContentFile(b"PK"))
    pack.sha256, pack.size, pack.figures = hashlib.sha256(b"PK").hexdigest(), 2, {}
    pack.save()
    return pack


def _record(employee: Employee, folder: Path) -> Record:
    """A month of the employee, who said one thing in a feed of its own."""
    Employee.objects.filter(pk=employee.pk).update(wecom_userid="somebody")
    feed = folder / "said.jsonl"
    feed.write_text(json.dumps(one_message(1, sender="somebody", to=())) + "\n")
    archive.import_feed(source=archive.get_source("other"), path=feed, by="system:test")
    return Record.objects.get(employee=employee)


# A broken line, a hole before number 5, a kind that is not known, and three handles that mean nobody.
FEED = """\
{"seq": 1, "msg":
{"seq": 1, "msg": {"msgid": "1", "action": "send", "from": "one", "tolist": ["two"], "msgtype": "new_kind"}}
{"seq": 5, "msg": {"msgid": "5", "action": "send", "from": "three", "tolist": ["one"], "msgtype": "text"}}
"""


def _matched_by_hand(compliance: Employee, employee: Employee) -> dict:
    one, three, two = Unmatched.objects.order_by("handle")
    days = {"first_on": None, "last_on": None, "by": compliance}
    return {
        "stranger": one,
        "match": archive.match_handle(row=two, employee=employee, **days),
        "robot": archive.declare_robot(row=three, reason="a machine", **days),
        "token": archive.make_token(source=one.source, label="puller", expires_on=None, by=compliance)[0],
    }


def _export(hr: Employee, certificate: Certificate) -> CertificateExport:
    from training import exports

    export = exports.ask(choice=exports.Choice(), by=hr)
    while (job := jobs.work(export.job_id, exports.step)) and not job.is_ended:
        pass
    export.refresh_from_db()
    return export


def knock(client: Client, name: str, line: Line, house: dict) -> HttpResponse:
    url = reverse(name, args=line.args(house))
    response = getattr(client, line.method)(url, line.data(house))
    if response.streaming:
        b"".join(response)  # to the end, which closes the file
    return response


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_who_may_open_what(role, house, sign_in):
    wrong = []
    for name, line in TABLE.items():
        response = knock(sign_in(house[role]), name, line, house)
        status, goes_to = response.status_code, response.headers.get("Location", "")
        is_sent_off = f"{reverse('account_login')}?next=" in goes_to  # a door that only seems open
        refused = (401,) if line.by_token else (403, 404)
        if status not in (line.ok if role in line.may else refused) or is_sent_off:
            wrong.append((name, status, goes_to))
    assert wrong == []


@pytest.mark.parametrize("suspended", [False, True], ids=["a visitor", "a suspended person"])
def test_who_is_not_signed_in_is_sent_to_sign_in(suspended, house, sign_in):
    client = sign_in(house["employee"]) if suspended else Client()
    if suspended:
        people_services.set_active(employee=house["employee"], active=False, by="system:test", reason="left")
    wrong = []
    for name, line in TABLE.items():
        response = knock(client, name, line, house)
        if line.by_token:
            assert response.status_code == 401, name
            continue
        to_sign_in = response.headers.get("Location", "").startswith(f"{reverse('account_login')}?next=")
        if response.status_code not in {200, 302, *line.ok} or to_sign_in is line.visitor:
            wrong.append((name, response.status_code, response.headers.get("Location")))
    assert wrong == []


def test_every_page_is_silent_under_the_policy(house, sign_in):
    """Strict policy on every answer, and nothing inline in it."""
    looked_at = 0
    for name, line in TABLE.items():
        if line.method != "get" or line.by_token:
            continue
        role = min(line.may & {"employee", "hr", "compliance", "manager", "author", "operator"})
        response = sign_in(house[role]).get(reverse(name, args=line.args(house)))
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "unsafe" not in policy, name
        if response.status_code == 200 and "text/html" in response.headers["Content-Type"]:
            assert inline(response.text) == [], name
            looked_at += 1
        elif response.streaming:
            b"".join(response)
    assert looked_at > 20


def inline(page: str) -> list[str]:
    """What a strict policy would refuse, and template code that was not run."""
    soup = BeautifulSoup(page, "html.parser")
    found = [str(tag) for tag in soup.select("[style], style")]
    found += [str(s) for s in soup.select("script") if not s.get("src") and s.get("type") != "application/json"]
    found += [a for tag in soup.find_all(True) for a in tag.attrs if a.startswith(("on", "hx-on"))]
    return found + [mark for mark in ("{%", "{{") if mark in page]


def test_somebody_who_moved_away_disappears_from_the_old_managers_page(house, sign_in):
    client = sign_in(house["manager"])
    url = reverse("standing:person", args=[house["employee"].uid])
    assert client.get(url).status_code == 200
    people_services.set_manager(employee=house["employee"], manager=house["other_manager"], by="system:test")
    assert client.get(url).status_code == 404
    assert sign_in(house["other_manager"]).get(url).status_code == 200


def test_a_role_that_is_taken_away_is_gone_on_the_next_request(house, sign_in):
    client = sign_in(house["compliance"])
    assert client.get(reverse("standing:firm")).status_code == 200
    house["compliance"].groups.remove(Group.objects.get(name="Compliance"))
    assert client.get(reverse("standing:firm")).status_code == 403


def test_hr_sees_training_but_nothing_of_the_archive(house, sign_in):
    from portal.standing import services as standing

    standing.catch_up()
    page = sign_in(house["hr"]).get(reverse("standing:person", args=[house["employee"].uid]))
    assert "Training" in page.text
    for word in ("Archive record", "Findings", "No data", "May use WeChat"):
        assert word not in page.text


def test_pages_of_who_is_signed_in_are_kept_out_of_caches(house, sign_in):
    assert sign_in(house["employee"]).get("/").headers["Cache-Control"] == "no-store"


def test_an_ended_session_sends_a_fragment_to_sign_in_whole():
    response = Client().get(
        reverse("standing:team"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/team/?training=due"},
    )
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == f"{reverse('account_login')}?next=/team/%3Ftraining%3Ddue"


@pytest.mark.django_db
def test_the_admin_is_for_staff_alone(make_employee, sign_in):
    assert sign_in(make_employee(roles=("Compliance",))).get("/admin/").status_code == 302
    assert sign_in(make_employee(is_staff=True, is_superuser=True)).get("/admin/").status_code == 200


# Files that leave no Entry when they are fetched, and why.
NO_ENTRY = {
    "training:certificate_file": "one's own; somebody else's is below",
    "training:badge_file": "one's own; somebody else's is below",
    "training:signing_keys": "for everybody",
    "ledger:proof_file": "digests alone, of nobody",
    "ledger:join_file": "digests alone, of nobody",
    "ledger:seal_file": "digests alone, of nobody",
}


def is_file(response: HttpResponse) -> bool:
    return response.status_code == 200 and "attachment" in response.headers.get("Content-Disposition", "")


def test_each_file_that_goes_out_is_an_entry(house, sign_in):
    files, silent = set(), set()
    for name, line in TABLE.items():
        for role in sorted(line.may):
            before = Entry.objects.count()
            if is_file(knock(sign_in(house[role]), name, line, house)):
                files.add(name)
                if Entry.objects.count() == before:
                    silent.add(name)
    assert len(files) > 15
    assert silent == NO_ENTRY.keys() & files


def test_somebody_elses_certificate_is_an_entry_and_ones_own_is_not(house, sign_in):
    for name in ("training:certificate_file", "training:badge_file"):
        url = reverse(name, args=TABLE[name].args(house))
        before = Entry.objects.count()
        b"".join(sign_in(house["employee"]).get(url))
        assert Entry.objects.count() == before
        b"".join(sign_in(house["hr"]).get(url))
        entry = Entry.objects.latest("seq")
        assert (entry.seq, entry.verb) == (before + 1, "training.certificate_fetched")
        assert (entry.actor, entry.subject) == (house["hr"].uid, house["employee"].uid)
