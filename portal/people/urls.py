from django.urls import path

from portal.people import views

app_name = "people"
urlpatterns = [
    path("language/", views.language, name="language"),
    path("accounts/sessions/", views.session_list, name="session_list"),
    path("accounts/sessions/end/", views.end_sessions, name="end_sessions"),
]
