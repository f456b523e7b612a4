from django.urls import path

from archive import views

app_name = "archive"
urlpatterns = [
    # imports/
    path("imports/", views.import_list, name="import_list"),
    path("imports/<str:uid>/", views.import_, name="import"),
    path("imports/<str:uid>/lines/<int:line_no>/", views.aside_file, name="aside_file"),
]
