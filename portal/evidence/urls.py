from django.urls import path

from portal.evidence import views

app_name = "evidence"
urlpatterns = [
    # evidence/packs/
    path("evidence/packs/", views.pack_list, name="pack_list"),
    path("evidence/packs/<str:uid>/", views.pack, name="pack"),
    path("evidence/packs/<str:uid>/decide/", views.pack_decide, name="pack_decide"),
    path("evidence/packs/<str:uid>/file/", views.pack_file, name="pack_file"),
    # evidence/entries/
    path("evidence/entries/", views.find, name="find"),
    path("evidence/entries/<int:seq>/", views.entry, name="entry"),
    path("evidence/entries/<int:seq>/file/", views.entry_file, name="entry_file"),
    # history
    path("record/history/", views.history, name="history"),
    path("team/<str:uid>/history/", views.person_history, name="person_history"),
]
