"""What was learned is kept fresh: two short questions a week after a course is completed (docs/decisions/0021)."""
