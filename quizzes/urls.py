from django.urls import path

from quizzes.views import banks

app_name = "quizzes"
urlpatterns = [
    path("questions/", banks.bank_list, name="bank_list"),
    path("questions/analyse/", banks.analyse, name="analyse"),
    path("questions/<slug:slug>/", banks.bank, name="bank"),
    path("questions/<slug:slug>/<slug:question>/", banks.question, name="question"),
]
