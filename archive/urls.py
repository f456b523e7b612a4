from django.urls import path

from archive.views import imports, push

app_name = "archive"
urlpatterns = [
    # api/
    path("api/archive/<str:source>/", push.push, name="push"),
    # imports/
    path("imports/", imports.import_list, name="import_list"),
    path("imports/<str:uid>/", imports.import_, name="import"),
    path("imports/<str:uid>/lines/<int:line_no>/", imports.aside_file, name="aside_file"),
]
