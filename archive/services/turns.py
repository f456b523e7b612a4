"""One transaction at a time draws conclusions from what is stored: opens findings, matches people, computes records.

Imports of several sources, pushes and the clock do so at once, over the same people. Two of them would open the same
finding, or wait for each other's rows with the ledger's head in hand.
"""

from django.db import connection

_TURN = 0x6172636869766521  # any number, but always this one


def take_turn() -> None:
    """Wait until nobody else has the turn and keep it to the end of the caller's transaction.

    A source is locked before, findings, people and the ledger after. On SQLite a transaction is alone anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
