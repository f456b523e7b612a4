"""Numbers in Chinese as mainland firms print them: in groups of three. Dates are Django's own."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
