"""A lesson with one block of every kind, and how tests read it."""

from training.parsing import parse

SOURCE = {
    "jurisdiction": "US",
    "name": "The long name",
    "number": "No. 1",
    "body": "SEC",
    "link": "https://example.com/1",
}
SOURCES = {
    "sec-17a-4": {"id": "sec-17a-4", "kind": "rule", "short": "SEC Rule 17a-4", **SOURCE},
    "case-big-2021": {"id": "case-big-2021", "kind": "case", "short": "Big 2021", **SOURCE},
    "practice": {"id": "practice", "kind": "guidance", "short": "Good practice", **SOURCE, "link": ""},
}

RULE = """\
::: rule sec-17a-4
Keep it for **three** years.
:::
"""
CHECK = """\
::: check lunch
question: Which of these must be kept?
options:
  - text: Lunch at noon?
    why: Purely social.
  - text: The order went through.
    right: true
    why: An order is business.
:::
"""
CHAT = """\
::: chat mr-chen
title: Mr Chen 陈先生
intro: Mark each message.
messages:
  - from: Mr Chen
    text: Happy new year!
    mark: personal
    why: Only a greeting.
  - from: Lin
    me: true
    text: Thanks!
  - from: Mr Chen
    kind: voice
    text: "The bond: go ahead"
    mark: business
    why: Plainly an order.
    cites: [sec-17a-4, practice]
:::
"""
BRANCH = """\
::: branch order-at-ten
title: Mr Lau 刘总
intro: It is ten at night. Choose what you send.
start: asked
scenes:
  - id: asked
    messages:
      - from: Mr Lau
        text: Buy 5,000 for me, here is fine?
    choices:
      - reply: Please send it on WeCom, I answer there at once.
        to: moved
        rating: keeps
        why: The order goes where it is captured.
        cites: [sec-17a-4]
      - reply: "OK 👍"
        to: taken
        rating: breaks
        why: That accepts an order outside the archive.
  - id: moved
    messages:
      - from: Mr Lau
        text: Done, I wrote to you there.
    end: The order stands in the archive.
  - id: taken
    messages:
      - from: Mr Lau
        text: And the price?
    choices:
      - reply: "[Tell Compliance and call him on the recorded line]"
        to: mended
        rating: keeps
        why: It cannot be undone, but it can be reported.
      - reply: "41.5"
        to: lost
        rating: breaks
        why: A second message nobody keeps.
  - id: mended
    end: Compliance has the chat by eleven.
  - id: lost
    end: The order is found in an audit.
:::
"""
STEPS = """\
::: steps keep-a-photo
title: Keep a photo
phone: WeCom, Ms Li
steps:
  - do: Open it.
    screen:
      - them: "[photo of a form]"
      - button: View original
    why: It must be whole.
  - do: Say what it is.
    screen:
      - me: Received, thank you.
      - note: Sent
    why: Words can be searched.
  - do: Leave it there.
    screen:
      - note: Nothing to press
    why: Each copy can leak.
:::
"""
CASE = """\
::: case case-big-2021
happened: They texted.
timeline:
  - {when: December 2021, what: The order.}
cost: USD 125 million.
lesson: Use the recorded channel.
unit: USD million
figures:
  - what: SEC
    number: 125
  - what: CFTC
    number: 75
:::
"""
LESSON = f"Some text.\n\n{RULE}\n{CHECK}\nMore text.\n\n{CHAT}\n{BRANCH}\n{STEPS}\n{CASE}"


def read(text: str, first_line: int = 1) -> tuple[list[dict], list[tuple[int, str]]]:
    mistakes: list[tuple[int, str]] = []
    found = parse(
        text, sources=SOURCES, first_line=first_line, report=lambda line, what, remedy: mistakes.append((line, what))
    )
    return [block for _, block in found], mistakes


def block(text: str) -> dict:
    [one], mistakes = read(text)
    assert mistakes == []
    return one
