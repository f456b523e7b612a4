from django.urls import path

from archive.views import asides, handles, imports, keeping, lexicon, push, sources, state

app_name = "archive"
urlpatterns = [
    # api/
    path("api/archive/<str:source>/", push.push, name="push"),
    path("api/archive/<str:source>/state/", push.push_state, name="push_state"),
    # imports/
    path("imports/", imports.import_list, name="import_list"),
    path("imports/sources/", sources.source_new, name="source_new"),
    path("imports/sources/<slug:name>/", sources.source, name="source"),
    path("imports/sources/<slug:name>/settings/", sources.source_settings, name="source_settings"),
    path("imports/sources/<slug:name>/tokens/", sources.token_make, name="token_make"),
    path("imports/sources/<slug:name>/tokens/<int:pk>/", sources.token_end, name="token_end"),
    path("imports/sources/<slug:name>/holes/<int:first>/", sources.hole, name="hole"),
    path("imports/sources/<slug:name>/state/", state.source_state, name="source_state"),
    path("imports/sources/<slug:name>/state/<int:pk>/", state.state_copy, name="state_copy"),
    path("imports/sources/<slug:name>/kinds/", sources.kind, name="kind"),
    path("imports/handles/<int:pk>/", handles.handle, name="handle"),
    path("imports/matches/<int:pk>/", handles.match_undo, name="match_undo"),
    path("imports/robots/<int:pk>/", handles.robot_undo, name="robot_undo"),
    path("imports/state/", state.state_new, name="state_new"),
    path("imports/<str:uid>/", imports.import_, name="import"),
    path("imports/<str:uid>/numbers/", imports.import_numbering, name="import_numbering"),
    path("imports/<str:uid>/lines/<int:line_no>/", asides.aside_file, name="aside_file"),
    path("imports/<str:uid>/lines/<int:line_no>/look/", asides.aside_look, name="aside_look"),
    path("imports/<str:uid>/lines/<int:line_no>/repair/", asides.aside_repair, name="aside_repair"),
    path("imports/<str:uid>/lines/<int:line_no>/again/", asides.aside_again, name="aside_again"),
    path("imports/<str:uid>/lines/<int:line_no>/settle/", asides.aside_settle, name="aside_settle"),
    # lexicon/
    path("lexicon/", lexicon.lexicon, name="lexicon"),
    path("lexicon/draft/", lexicon.lexicon_begin, name="lexicon_begin"),
    path("lexicon/draft/shipped/", lexicon.lexicon_begin_shipped, name="lexicon_begin_shipped"),
    path("lexicon/back/", lexicon.lexicon_back_shipped, name="lexicon_back_shipped"),
    path("lexicon/<int:number>/", lexicon.lexicon_version, name="lexicon_version"),
    path("lexicon/<int:number>/line/", lexicon.lexicon_line, name="lexicon_line"),
    path("lexicon/<int:number>/trial/", lexicon.lexicon_trial, name="lexicon_trial"),
    path("lexicon/<int:number>/on/", lexicon.lexicon_switch_on, name="lexicon_switch_on"),
    path("lexicon/<int:number>/draft/", lexicon.lexicon_begin, name="lexicon_begin_from"),
    path("lexicon/<int:number>/back/", lexicon.lexicon_back, name="lexicon_back"),
    path("lexicon/<int:number>/away/", lexicon.lexicon_throw_away, name="lexicon_throw_away"),
    # keeping/
    path("keeping/", keeping.keeping, name="keeping"),
    path("keeping/holds/new/", keeping.hold_new, name="hold_new"),
    path("keeping/holds/<str:uid>/", keeping.hold, name="hold"),
    path("keeping/holds/<str:uid>/lift/", keeping.hold_lift, name="hold_lift"),
    path("keeping/disposals/", keeping.disposal_ask, name="disposal_ask"),
    path("keeping/disposals/<str:uid>/", keeping.disposal, name="disposal"),
    path("keeping/disposals/<str:uid>/decide/", keeping.disposal_decide, name="disposal_decide"),
    path("keeping/disposals/<str:uid>/stop/", keeping.disposal_stop, name="disposal_stop"),
    path("keeping/disposals/<str:uid>/withdraw/", keeping.disposal_withdraw, name="disposal_withdraw"),
]
