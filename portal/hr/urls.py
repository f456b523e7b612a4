from django.urls import path

from portal.hr import views

app_name = "hr"
urlpatterns = [
    path("people/lists/", views.file_list, name="file_list"),
    path("people/lists/<str:uid>/", views.file, name="file"),
    path("people/lists/<str:uid>/columns/", views.choose_columns, name="choose_columns"),
    path("people/lists/<str:uid>/apply/", views.apply, name="apply"),
    path("people/lists/<str:uid>/put-away/", views.put_away, name="put_away"),
]
