"""Questions of every kind in fields: what a kind is made of (shapes), what was typed (reading), what a page shows.

A form is a flat mapping of names to texts: "stem-en", "options-2-why-zh-hans", "scenes-0-choices-1-to". Each list of
rows has "…-rows", how many of them are on the page; a row that says nothing is none. Rows have their ids from the
first, hidden, so that what points at them (a pair, the way of a scenario) can be chosen rather than typed.
"""

from quizzes.editor.reading import Draft, data_of, fits, read
from quizzes.editor.rows import changed_rows
from quizzes.editor.shapes import begun
from quizzes.editor.showing import shown

__all__ = ["Draft", "begun", "changed_rows", "data_of", "fits", "read", "shown"]
