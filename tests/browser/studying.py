"""How one studies in a browser: reads a module's lessons, answers the blocks in them, sits its quiz."""

import html
from collections.abc import Collection
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Response, expect

from tests.browser import course_files
from tests.browser.course_files import SLUG, Question, plain
from tests.browser.visitor import Visitor

MODULES = 6
PAPER = """() => [...document.querySelectorAll(".question")].map((question) => ({
  stem: question.querySelector("legend").lastChild.textContent,
  options: [...question.querySelectorAll("label")].map((label) => {
    const input = label.querySelector("input");
    return {name: input.name, value: input.value, text: label.textContent, shape: shape(label)};
  }),
}))"""
# What is left of an option when its words and its token are taken away: the same for all, or it tells something.
SHAPE = """const shape = (label) => {
  const bare = label.cloneNode(true);
  bare.querySelector("input").removeAttribute("value");
  bare.querySelector("span").textContent = "";
  return bare.outerHTML;
};"""


def read_lesson(visitor: Visitor) -> None:
    """Read the lesson in view to its end and go on by its button."""
    page = visitor.page
    assert page.locator("article.lesson .part").count() > 2
    for section in page.locator("article.lesson .exercise").all():
        try_exercise(section)
    with page.expect_navigation():
        page.locator("form.onward button").click()


def try_exercise(section: Locator) -> None:
    """Do what the exercise asks, whatever comes of it; what was done before is left alone."""
    while (asked := section.locator("form :is(.reply, .btn:not(.plain))")).count():
        for group in section.locator("fieldset:has(input[type=radio])").all():
            group.locator("label").first.click()
        with section.page.expect_response(lambda response: response.request.method == "POST"):
            asked.first.click()
        expect(section.locator("form.htmx-request")).to_have_count(0)  # the answer stands in its place


def read_module(visitor: Visitor) -> list[str]:
    """Read lesson after lesson until the quiz; return the lessons' addresses."""
    read = []
    while not visitor.path.endswith("/quiz/"):
        read.append(visitor.path)
        read_lesson(visitor)
    return read


# --- blocks ------------------------------------------------------------------------------------------------------


def block_of(page: Page, kind: str) -> tuple[Locator, dict] | None:
    """Return the first block of a kind that the lesson in view has, and what the course's file says of it."""
    of_kind = ":not(.is-chat, .is-branch, .is-steps)" if kind == "check" else f".is-{kind}"
    sections = page.locator(f"article.lesson .exercise{of_kind}")
    if not sections.count():
        return None
    name = sections.first.get_attribute("id").removeprefix("block-")
    lesson = urlsplit(page.url).path.rstrip("/").rsplit("/", 1)[1]
    return page.locator(f"#block-{name}"), course_files.blocks()[lesson, name]


def answer_check_wrongly(page: Page, section: Locator, told: dict) -> None:
    """Choose a wrong option: it is said why it is wrong, which one is right, and why. None of it was there before."""
    wrong = next(number for number, option in enumerate(told["options"]) if not option.get("right"))
    _tells_nothing_yet(page, [option["why"] for option in told["options"]])
    section.get_by_role("radio").nth(wrong).check()
    section.get_by_role("button", name="Check my answer").click()
    verdict = section.get_by_role("status")
    expect(verdict).to_contain_text("Not this one. Here is why.")
    expect(verdict).to_be_focused()
    expect(section.locator("li.is-wrong")).to_contain_text(told["options"][wrong]["why"])
    right = next(option for option in told["options"] if option.get("right"))
    expect(section.locator("li.is-right")).to_contain_text(right["text"])
    expect(section.locator("li.is-right")).to_contain_text(right["why"])


def mark_chat_with_one_mistake(page: Page, section: Locator, told: dict) -> None:
    """Mark every message as it is, but the first: that one is explained, and the others are confirmed."""
    asked = [message for message in told["messages"] if message.get("mark")]
    _tells_nothing_yet(page, [message["why"] for message in asked])
    fields = section.locator("fieldset")
    expect(fields).to_have_count(len(asked))
    mistaken = "personal" if asked[0]["mark"] != "personal" else "business"
    for number, message in enumerate(asked):
        mark = message["mark"] if number else mistaken
        fields.nth(number).locator("label", has=page.locator(f"input[value={mark}]")).click()
    section.get_by_role("button", name="Check my marks").click()
    verdict = section.get_by_role("status")
    expect(verdict).to_contain_text(f"{len(asked) - 1} of {len(asked)} marks are right")
    expect(verdict).to_be_focused()
    remarks = section.locator(".remark")
    expect(remarks.first).to_contain_text(f"You marked: {mistaken.title()}")
    expect(remarks.first).to_contain_text(f"It is: {asked[0]['mark'].title()}")
    for number, message in enumerate(asked):
        expect(remarks.nth(number)).to_contain_text(message["why"])


def best_replies(told: dict) -> list[dict]:
    """Return the choices of the path on which every reply keeps the record, as the course's file tells them."""
    scenes, path = {scene["id"]: scene for scene in told["scenes"]}, []
    here = scenes[told["start"]]
    while "choices" in here:
        path.append(next(choice for choice in here["choices"] if choice["rating"] == "keeps"))
        here = scenes[path[-1]["to"]]
    return path


def reply_rightly(page: Page, section: Locator, told: dict) -> None:
    """Give the replies that keep the record: each is explained, and at the end it is told where they led."""
    replies = best_replies(told)
    _tells_nothing_yet(page, [choice["why"] for scene in told["scenes"] for choice in scene.get("choices", ())])
    for choice in replies:
        section.get_by_role("button", name=plain(choice["reply"].strip("[]")), exact=True).click()
        remark = section.get_by_role("status")
        expect(remark).to_contain_text("This keeps the record.")
        expect(remark).to_contain_text(plain(choice["why"]))
        expect(remark).to_be_focused()
    expect(section).to_contain_text(f"{2 * len(replies)} of {2 * len(replies)} points on this path.")
    end = next(scene["end"] for scene in told["scenes"] if scene["id"] == replies[-1]["to"])
    expect(section.locator(".note")).to_contain_text(plain(end))


def walk_through_steps(section: Locator, told: dict) -> None:
    """Do a procedure action by action, on the drawn phone where it has a button."""
    steps = told["steps"]
    for number, step in enumerate(steps, start=1):
        expect(section).to_contain_text(f"Step {number} of {len(steps)}")
        expect(section.locator(".do")).to_have_text(step["do"])
        expect(section.locator(".walk-say .why")).to_have_text(step["why"])
        on_phone = section.locator(".phone-button")
        (on_phone.first if on_phone.count() else section.locator(".walk-on .btn:not(.plain)")).click()
    expect(section).to_contain_text("That is the whole procedure:")
    expect(section.locator(".summary > li")).to_have_count(len(steps))


def _tells_nothing_yet(page: Page, whys: Collection[str]) -> None:
    source = plain(html.unescape(page.content()))
    assert [why for why in whys if plain(why) in source] == []


# --- quizzes -----------------------------------------------------------------------------------------------------


def paper(page: Page) -> list[tuple[Question, list[dict]]]:
    """Return the questions of the paper in view as the course's files know them, each with its options."""
    shown = page.evaluate(f"() => {{ {SHAPE} return ({PAPER})(); }}")
    for question in shown:
        for option in question["options"]:
            option["text"] = plain(option["text"])
    known = course_files.questions()
    return [(known[plain(question["stem"])], question["options"]) for question in shown]


def tick(page: Page, options: Collection[dict], texts: Collection[str]) -> None:
    """Tick the options of one question that have these texts, and see that this was kept."""
    for option in options:
        if option["text"] in texts:
            page.locator(f"input[name={option['name']}][value='{option['value']}']").check()
    expect(page.locator(f"#saved-{options[0]['name'].removeprefix('q')}")).to_have_text("Saved")


def answer_rightly(page: Page) -> int:
    """Answer every question of the paper in view rightly; return how many."""
    asked = paper(page)
    for question, options in asked:
        tick(page, options, question.right)
    expect(page.locator("#answered")).to_have_text(f"{len(asked)} of {len(asked)} answered")
    return len(asked)


def tells_nothing_before_it_is_handed_in(responses: Collection[Response]) -> None:
    """Nothing that the server has sent for a paper holds an explanation: no page, no script, no header."""
    sent = [str(response.all_headers()) for response in responses]
    sent += [response.text() for response in responses if response.status == 200 and _is_text(response)]
    heap = plain(html.unescape("\n".join(sent)))
    bank = course_files.questions().values()
    secrets = {text for question in bank for text in (question.explanation, *question.whys)}
    assert [secret for secret in secrets if len(secret) > 20 and secret in heap] == []


def _is_text(response: Response) -> bool:
    return response.request.resource_type in ("document", "script", "stylesheet", "xhr", "fetch")


def options_look_alike(asked: Collection[tuple[Question, list[dict]]]) -> None:
    """In one question nothing but words and random tokens tells one option from another."""
    for question, options in asked:
        assert len({option["shape"] for option in options}) == 1, question.stem
        assert all(len(option["value"]) >= 8 for option in options), question.stem


def quiz_path(number: int) -> str:
    folder = sorted(folder.name for folder in course_files.COURSE.iterdir() if folder.is_dir())[number - 1]
    return f"/courses/{SLUG}/{folder}/quiz/"
