from django.urls import path

from portal.ledger import views

app_name = "ledger"
urlpatterns = [
    path("evidence/", views.evidence, name="evidence"),
    path("evidence/verify/", views.verify, name="verify"),
    path("evidence/seals/<int:number>/", views.seal_file, name="seal_file"),
    path("evidence/proofs/<int:seq>/", views.proof_file, name="proof_file"),
]
