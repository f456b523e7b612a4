from django.urls import path

from archive import keeping_views, views, views_lexicon

app_name = "archive"
urlpatterns = [
    # imports/
    path("imports/", views.import_list, name="import_list"),
    path("imports/<str:uid>/", views.import_, name="import"),
    path("imports/<str:uid>/lines/<int:line_no>/", views.aside_file, name="aside_file"),
    # lexicon/
    path("lexicon/", views_lexicon.lexicon, name="lexicon"),
    path("lexicon/draft/", views_lexicon.lexicon_begin, name="lexicon_begin"),
    path("lexicon/<int:number>/", views_lexicon.lexicon_version, name="lexicon_version"),
    path("lexicon/<int:number>/line/", views_lexicon.lexicon_line, name="lexicon_line"),
    path("lexicon/<int:number>/trial/", views_lexicon.lexicon_trial, name="lexicon_trial"),
    path("lexicon/<int:number>/on/", views_lexicon.lexicon_switch_on, name="lexicon_switch_on"),
    path("lexicon/<int:number>/away/", views_lexicon.lexicon_throw_away, name="lexicon_throw_away"),
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
