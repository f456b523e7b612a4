from allauth.account.adapter import DefaultAccountAdapter


class ClosedAccountAdapter(DefaultAccountAdapter):
    """People come from HR's list; nobody signs up."""

    def is_open_for_signup(self, request) -> bool:
        return False
