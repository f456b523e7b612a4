"""What a page shows of a form: its lists, rows and fields, each with its label, its texts, and what is wrong."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from quizzes.editor.rows import count, ids_of
from quizzes.editor.shapes import SHAPES, Field, Rows, credits_of

Data = Mapping[str, str]
Errors = Mapping[str, Sequence[str]]
SHORT = 50  # characters of a text by which a row is chosen


class _Shown(dict):
    """Errors by name, that remember which of them have been shown."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.asked: set[str] = set()

    def get(self, name: str, default: Sequence[str] = ()) -> Sequence[str]:
        self.asked.add(name)
        return super().get(name, default)

    def others(self) -> list[str]:
        """Return what is wrong with the question as a whole, or with what has no field on the page."""
        return [text for name, texts in self.items() if name not in self.asked for text in texts]


def shown(data: Data, errors: Errors) -> dict:
    """Return what a page draws: {fields, rows, errors, …}, and the plain values of all kinds under their names."""
    shape, errors = SHAPES[data["kind"]], _Shown(errors)
    found = {name: data.get(name, "") for name in ("id", "kind", "tags", "cites", "difficulty", "points", "credit")}
    found |= {name: name in data for name in ("must_pass", "shuffle")}
    found |= {
        name: {"look": "texts", "label": label, "is_long": True, "texts": _texts(name, data, errors)}
        for name, label in (("stem", _("Question")), ("explanation", _("Explanation")))
    }
    found |= {
        "is_choice": [rows.name for rows in shape.rows] == ["options"] and shape.is_shuffled,
        "is_shuffled": shape.is_shuffled,
        "credits": credits_of(data["kind"]),
        "fields": [_field(one, one.name, data, errors) for one in shape.fields],
        "rows": [_list(rows, rows.name, data, errors) for rows in shape.rows],
        "errors": {name: errors.get(name) for name in ("id", "difficulty", "points")},
    }
    return found | {"whole": errors.others()}


def _list(rows: Rows, path: str, data: Data, errors: _Shown) -> dict:
    n = count(data, path, rows)
    names = ids_of(data, path, rows)
    return {
        "path": path,
        "count": n,
        "errors": errors.get(path),
        "can_grow": n < rows.most,
        "is_ordered": rows.is_ordered,
        "rows": [
            {
                "path": f"{path}-{place}",
                "place": place,
                "id": names[place],
                "legend": str(rows.label) % {"n": place + 1},
                "errors": errors.get(f"{path}-{place}"),
                "fields": [_field(one, f"{path}-{place}-{one.name}", data, errors) for one in rows.fields],
                "within": _list(rows.within, f"{path}-{place}-{rows.within.name}", data, errors)
                if rows.within
                else None,
            }
            for place in range(n)
        ],
    }


def _field(one: Field, path: str, data: Data, errors: _Shown) -> dict:
    found = {"name": path, "look": one.look, "label": one.label, "errors": errors.get(path)}
    if one.look in ("texts", "wordings"):
        return found | {"texts": _texts(path, data, errors)}
    if one.look == "flag":
        return found | {"checked": path in data}
    choices = _named_rows(one.of, data) if one.look == "ref" else one.choices
    return found | {"value": data.get(path, ""), "choices": choices}


def _texts(name: str, data: Data, errors: _Shown) -> list[dict]:
    return [
        {
            "name": f"{name}-{code}",
            "code": code,
            "label": label,
            "text": data.get(f"{name}-{code}", ""),
            "errors": [*errors.get(f"{name}-{code}"), *(errors.get(name) if place == 0 else ())],
        }
        for place, (code, label) in enumerate(settings.LANGUAGES)
    ]


def _named_rows(of: str, data: Data) -> list[tuple[str, str]]:
    """Return the rows that can be chosen: (id, "Option 2 · its first words")."""
    rows = next(rows for rows in SHAPES[data["kind"]].rows if rows.name == of)
    found = [("", "–")]
    for place, name in enumerate(ids_of(data, of, rows)):
        texts = [data.get(f"{of}-{place}-text-{code}", "") for code, _label in settings.LANGUAGES]
        words = next((text for text in texts if text), "")
        label = str(rows.label) % {"n": place + 1}
        found.append((name, f"{label} · {words[:SHORT]}" if words else label))
    return found
