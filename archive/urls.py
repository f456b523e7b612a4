from django.urls import path

from archive import keeping_views, views

app_name = "archive"
urlpatterns = [
    # imports/
    path("imports/", views.import_list, name="import_list"),
    path("imports/<str:uid>/", views.import_, name="import"),
    path("imports/<str:uid>/lines/<int:line_no>/", views.aside_file, name="aside_file"),
    # keeping/
    path("keeping/", keeping_views.keeping, name="keeping"),
    path("keeping/holds/new/", keeping_views.hold_new, name="hold_new"),
    path("keeping/holds/<str:uid>/", keeping_views.hold, name="hold"),
    path("keeping/holds/<str:uid>/lift/", keeping_views.hold_lift, name="hold_lift"),
    path("keeping/disposals/", keeping_views.disposal_ask, name="disposal_ask"),
    path("keeping/disposals/<str:uid>/", keeping_views.disposal, name="disposal"),
    path("keeping/disposals/<str:uid>/decide/", keeping_views.disposal_decide, name="disposal_decide"),
    path("keeping/disposals/<str:uid>/stop/", keeping_views.disposal_stop, name="disposal_stop"),
]
