from datetime import date

from django.urls import path, register_converter

from portal.standing import api, views


class MonthConverter:
    """A month in an address, as 2026-10; in Python its first day."""

    regex = "20[0-9]{2}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date) -> str:
        return f"{value:%Y-%m}"


register_converter(MonthConverter, "month")

app_name = "standing"
urlpatterns = [
    path("", views.today, name="today"),
    path("record/", views.record, name="record"),
    path("record/<month:month>/", views.record_month, name="record_month"),
    path("team/", views.team, name="team"),
    path("team/<str:uid>/", views.person, name="person"),
    path("team/<str:uid>/<month:month>/", views.person_month, name="person_month"),
    path("firm/", views.firm, name="firm"),
    path("firm/feed/", views.feed, name="feed"),
    path("firm/feed/<int:pk>/end/", views.feed_token_end, name="feed_token_end"),
    path("people/", views.people, name="people"),
    path("api/standing/", api.standing_feed, name="api"),
]
