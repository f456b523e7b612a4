from django.urls import path

from portal.standing import views

app_name = "standing"
urlpatterns = [
    path("", views.today, name="today"),
    path("record/", views.record, name="record"),
    path("team/", views.team, name="team"),
    path("team/<str:uid>/", views.person, name="person"),
    path("firm/", views.firm, name="firm"),
    path("people/", views.people, name="people"),
]
