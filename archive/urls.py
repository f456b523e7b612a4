from django.urls import path

from archive import views, views_lexicon

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
]
