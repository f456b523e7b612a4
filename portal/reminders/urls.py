from django.urls import path

from portal.reminders import views

app_name = "reminders"
urlpatterns = [
    path("reminders/", views.overview, name="overview"),
    path("reminders/policy/", views.terms, name="terms"),
    path("reminders/ahead/", views.preview, name="preview"),
    path("reminders/ahead/<str:uid>/", views.foreseen, name="foreseen"),
    path("reminders/sent/", views.sent, name="sent"),
    path("reminders/sent/<str:uid>/", views.digest, name="digest"),
    path("reminders/bounced/", views.bounce_list, name="bounce_list"),
    path("reminders/bounced/<int:pk>/settle/", views.bounce_settle, name="bounce_settle"),
    path("reminders/late/", views.late_people, name="late_people"),
    path("reminders/late/<str:uid>/handle/", views.handle, name="handle"),
]
