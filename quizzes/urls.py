from django.urls import path

from quizzes.views import banks, editing, importing, signals

app_name = "quizzes"
urlpatterns = [
    # signals/
    path("signals/", signals.signal_list, name="signal_list"),
    path("signals/<str:uid>/", signals.judge, name="judge"),
    # questions/
    path("questions/", banks.bank_list, name="bank_list"),
    path("questions/analyse/", banks.analyse, name="analyse"),
    path("questions/import/", importing.upload, name="upload"),
    path("questions/import/<str:uid>/", importing.dry_run, name="dry_run"),
    path("questions/preview/", editing.preview, name="preview"),
    path("questions/<slug:slug>/", banks.bank, name="bank"),
    path("questions/<slug:slug>/new/", editing.edit, name="new"),
    path("questions/<slug:slug>/tags/", editing.retag, name="retag"),
    path("questions/<slug:slug>/file/", editing.export, name="export"),
    path("questions/<slug:slug>/<slug:question>/", banks.question, name="question"),
    path("questions/<slug:slug>/<slug:question>/edit/", editing.edit, name="edit"),
    path("questions/<slug:slug>/<slug:question>/withdraw/", editing.withdraw, name="withdraw"),
    path("questions/<slug:slug>/<slug:question>/review/", editing.review, name="review"),
]
