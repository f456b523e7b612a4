# What can be done with this checkout. Nothing is written outside it: .venv holds the Python packages, var the data.
.PHONY: help demo demo-reset preview test test-postgres test-services test-faults test-browser check bench bench-postgres messages clean
.DEFAULT_GOAL := help
SHELL := /bin/bash

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 24

demo: ## set everything up, make the demo firm, run the site (PORT=8001 for another port); Ctrl-C ends it
	@bin/demo

demo-reset: ## throw the demo firm away and begin anew
	@bin/demo reset

preview: ## show a course's folder as it would be read, again at each change (COURSE=dir, PORT=8010)
	@bin/preview $(COURSE)

test: ## run the tests on SQLite (ARGS="tests/people -k visible" goes to pytest)
	@bin/test $(ARGS)

test-postgres: ## run the same tests on a PostgreSQL that is started for them
	@bin/test-postgres $(ARGS)

test-services: ## run them on a PostgreSQL and a Redis that are started for them
	@bin/test-services $(ARGS)

test-faults: ## kill, stop and fill up what the site runs on, on both databases (ARGS="-k broker")
	@bin/test-faults $(ARGS)

test-browser: ## run the story in a real Chromium
	@bin/test browser $(ARGS)

check: ## lint, layers, migrations, production settings, translations
	@bin/check

bench: ## measure every page of the demo firm (ARGS="--repeat 50"), the importer (ARGS="import --lines 100000"), a disposal (ARGS=disposal), certificates (ARGS=certificates), evidence packs (ARGS=packs), or reminders (ARGS=reminders)
	@bin/bench $(ARGS)

bench-postgres: ## measure the importer, or a disposal (ARGS=disposal), on a PostgreSQL that is started for it
	@bin/bench postgres $(ARGS)

messages: ## bring the Chinese catalogue up to date with the code, and compile it
	@bin/messages

clean: ## remove what tests and checks leave behind; the demo firm and .venv stay
	rm -rf var/test var/check .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
