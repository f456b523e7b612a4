from django.urls import path

from portal.jobs import views

app_name = "jobs"
urlpatterns = [
    path("jobs/<str:uid>/", views.progress, name="progress"),
    path("jobs/<str:uid>/retry/", views.retry, name="retry"),
    path("jobs/<str:uid>/stop/", views.stop, name="stop"),
]
