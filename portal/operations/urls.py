from django.urls import path

from portal.operations import views

app_name = "operations"
urlpatterns = [
    path("healthz/live", views.live, name="live"),
    path("healthz/ready", views.ready, name="ready"),
    path("metrics", views.figures, name="figures"),
    path("operations/", views.overview, name="overview"),
    path("operations/jobs/<str:uid>/again/", views.again, name="again"),
]
