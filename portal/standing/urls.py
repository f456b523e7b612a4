from datetime import date

from django.urls import path, register_converter

from portal import tables
from portal.standing.views import desk, effect, exports, machines, people, remedies, statements


class MonthConverter:
    """A month in an address, as 2026-10; in Python its first day."""

    regex = "20[0-9]{2}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date) -> str:
        return f"{value:%Y-%m}"


class TableFileConverter:
    """A kind of file that a table can be had as."""

    regex = "|".join(tables.KINDS)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(MonthConverter, "month")
register_converter(TableFileConverter, "table")

app_name = "standing"
urlpatterns = [
    path("", people.today, name="today"),
    # record/
    path("record/", people.record, name="record"),
    path("record/<month:month>/", people.record_month, name="record_month"),
    path("record/report/", remedies.report, name="report"),
    path("record/reports/<str:uid>/", remedies.slip, name="slip"),
    path("record/findings/<str:uid>/answer/", remedies.answer, name="answer"),
    path("record/statement/", statements.statement, name="statement"),
    path("remedies/", remedies.remedy_table, name="remedy_table"),
    path("remedies/<str:uid>/", remedies.remedy, name="remedy"),
    # team/
    path("team/", people.team, name="team"),
    path("team/findings/", people.team_findings, name="team_findings"),
    path("team/findings.<table:kind>", exports.team_finding_file, name="team_finding_file"),
    path("team/<str:uid>/", people.person, name="person"),
    path("team/<str:uid>/remind/", people.remind, name="remind"),
    path("team/<str:uid>/<month:month>/", people.person_month, name="person_month"),
    path("team.<table:kind>", exports.team_file, name="team_file"),
    path("people.<table:kind>", exports.people_file, name="people_file"),
    path("findings.<table:kind>", exports.finding_file, name="finding_file"),
    # firm/
    path("firm/", people.firm, name="firm"),
    path("firm/effect/", effect.effect, name="effect"),
    path("firm/<slug:name>.<table:kind>", exports.firm_file, name="firm_file"),
    path("firm/knowledge/<slug:module>/", people.module_tries, name="module_tries"),
    path("firm/knowledge/<slug:module>.<table:kind>", exports.knowledge_file, name="knowledge_file"),
    path("firm/feed/", machines.feed, name="feed"),
    path("firm/feed/<int:pk>/end/", machines.feed_token_end, name="feed_token_end"),
    path("people/", people.people, name="people"),
    # findings/
    path("findings/", desk.finding_list, name="finding_list"),
    path("findings/bulk/", desk.finding_bulk, name="finding_bulk"),
    path("findings/samples/", desk.sample_list, name="sample_list"),
    path("findings/samples/<month:month>/", desk.sample, name="sample"),
    path("findings/samples/<month:month>/<int:number>/", desk.sample_item, name="sample_item"),
    path("findings/<str:uid>/", desk.finding, name="finding"),
    path("findings/<str:uid>/do/", desk.finding_do, name="finding_do"),
    path("findings/<str:uid>/words/", desk.finding_words, name="finding_words"),
    # api/
    path("api/standing/", machines.standing_feed, name="api"),
    path("api/firm/", machines.firm_feed, name="firm_api"),
]
