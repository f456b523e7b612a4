from django.urls import path, re_path

from portal.scim import views

app_name = "scim"
urlpatterns = [
    path("people/directory/", views.directory, name="directory"),
    path("people/directory/tokens/<int:pk>/end/", views.token_end, name="token_end"),
    re_path(r"^scim/v2(?P<path>/.*|)$", views.door, name="door"),
]
