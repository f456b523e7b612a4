import json

import pytest

from quizzes import papers, services
from tests.quizzes.conftest import all_right, all_wrong, question


@pytest.fixture
def chinese_too() -> dict:
    both = question("q")
    for texts in (both["stem"], both["explanation"], *(o["text"] for o in both["options"])):
        texts["zh-hans"] = f"中文 {texts['en']}"
    for option in both["options"]:
        option["why"]["zh-hans"] = "因为"
    return both


def test_a_paper_says_nothing_about_right_answers(make_quiz, begin):
    attempt = begin(make_quiz())
    paper = papers.paper(attempt, "en")
    about = {"position", "kind", "look", "stem", "answered", "begun", "revision", "points", "must_pass", "fields"}
    assert set(paper["questions"][0]) == about | {"multiple", "options"}
    assert all(set(o) == {"token", "text", "chosen"} for q in paper["questions"] for o in q["options"])
    for q in paper["questions"]:
        q.pop("fields")
        for option in q["options"]:
            option.pop("token")  # random letters may spell anything
    told = json.dumps(paper, default=str)
    assert not [word for word in ("right", "why", "explanation", "sec-17a-4", attempt.seed) if word in told]


def test_tokens_are_not_the_option_ids_and_differ_between_attempts(make_quiz, begin):
    quiz = make_quiz()
    tokens = [
        {o["token"] for q in papers.paper(begin(quiz), "en")["questions"] for o in q["options"]} for _ in range(2)
    ]
    assert not tokens[0] & tokens[1]
    assert min(len(token) for token in tokens[0] | tokens[1]) >= 12


def test_a_paper_shows_what_is_saved_in_the_order_that_was_frozen(make_quiz, begin):
    attempt = begin(make_quiz())
    tokens = all_right(attempt)[2]
    services.save_answer(attempt=attempt, position=2, sent=tokens, by=attempt.employee.uid)
    paper = papers.paper(attempt, "en")
    assert [o["token"] for o in paper["questions"][1]["options"] if o["chosen"]] == tokens
    assert (paper["answered"], paper["total"]) == (1, 4)
    order = attempt.responses.get(position=2).order
    assert [o["text"].rsplit(" ", 1)[1] for o in paper["questions"][1]["options"]] == order


def test_a_result_explains_every_question_and_every_option(make_quiz, begin):
    attempt = begin(make_quiz())
    graded = services.submit(attempt=attempt, answers=all_wrong(attempt), by=attempt.employee.uid)
    result = papers.result(graded, "en")
    assert (result["percent"], result["passed"], result["right"], result["total"]) == (0, False, 0, 4)
    first = result["questions"][0]
    assert (first["is_right"], first["cites"]) == (False, ["sec-17a-4"])
    assert first["explanation"].endswith("explanation")
    by_letter = {o["text"][-1]: (o["chosen"], o["right"], o["why"][-5:]) for o in first["options"]}
    assert by_letter == {"a": (False, True, "why a"), "b": (True, False, "why b"), "c": (False, False, "why c")}


def test_an_open_attempt_has_no_result(make_quiz, begin):
    with pytest.raises(papers.NotSubmitted):
        papers.result(begin(make_quiz()), "en")


def test_a_paper_is_told_in_the_language_asked_for(make_quiz, begin, chinese_too):
    attempt = begin(make_quiz(questions=[chinese_too]))
    chinese, english = papers.paper(attempt, "zh-hans"), papers.paper(attempt, "en")
    assert (chinese["lang"], chinese["questions"][0]["stem"]) == ("zh-hans", "中文 q: stem")
    assert (english["lang"], english["questions"][0]["stem"]) == ("en", "q: stem")
    assert [o["token"] for o in chinese["questions"][0]["options"]] == [
        o["token"] for o in english["questions"][0]["options"]
    ]


def test_a_paper_is_told_in_one_language_when_a_question_lacks_the_one_asked_for(make_quiz, begin, chinese_too):
    paper = papers.paper(begin(make_quiz(questions=[chinese_too, question("english-only")])), "zh-hans")
    assert paper["lang"] == "en"
    assert not [q["stem"] for q in paper["questions"] if "中文" in q["stem"]]


def test_an_edited_question_does_not_change_a_result_given_before(make_quiz, begin):
    attempt = begin(make_quiz(bank="b", questions=[question("q", right="a")]))
    services.submit(attempt=attempt, answers=all_right(attempt), by=attempt.employee.uid)
    make_quiz(bank="b", questions=[question("q", right="b")])
    attempt.refresh_from_db()
    assert papers.result(attempt, "en")["questions"][0]["is_right"] is True


def test_paper_and_result_cost_the_same_for_ten_questions_as_for_two(make_quiz, begin, count_queries):
    costs = []
    for size in (2, 10):
        attempt = begin(make_quiz(questions=[question(f"q{size}-{i}") for i in range(size)]))
        costs.append(count_queries(lambda a=attempt: papers.paper(a, "en")))
        graded = services.submit(attempt=attempt, answers={}, by=attempt.employee.uid)
        costs.append(count_queries(lambda a=graded: papers.result(a, "en")))
    assert costs[:2] == costs[2:]
