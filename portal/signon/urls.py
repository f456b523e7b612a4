from django.urls import path

from portal.signon import views

app_name = "signon"
urlpatterns = [
    path("accounts/oidc/<slug:way>/login/", views.oidc_login, name="oidc_login"),
    path("accounts/oidc/<slug:way>/callback/", views.oidc_callback, name="oidc_callback"),
]
