from allauth.account import forms as account
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django.utils.translation import gettext_lazy as _


class OneButton:
    """Gives a form its crispy helper: rendered whole, with one button, by {% crispy form %}."""

    button = _("Save")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", self.button))
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)  # a label stays when one types, a placeholder does not


class SignInForm(OneButton, account.LoginForm):
    button = _("Sign in")


class NewPasswordForm(OneButton, account.ChangePasswordForm):
    button = _("Change password")


class FirstPasswordForm(OneButton, account.SetPasswordForm):
    button = _("Set password")


class ForgottenPasswordForm(OneButton, account.ResetPasswordForm):
    button = _("Send me a link")


class ChosenPasswordForm(OneButton, account.ResetPasswordKeyForm):
    button = _("Set password")


class SignInAgainForm(OneButton, account.ReauthenticateForm):
    button = _("Confirm")
