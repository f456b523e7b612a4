"""Numbers are grouped by threes, as in the accounts of mainland firms; Django would not group them at all."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
