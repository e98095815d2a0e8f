# `make run` starts the app, `make test` checks everything; both install what they need into .venv, once.
# All paths are relative, so the folder may be moved, and have spaces in its name.

PY := .venv/bin/python
CATALOGUE := locales/descent_lab.pot
LANGUAGES := zh_CN
SOURCES := $(wildcard app.py descent landscapes optimizers schedules networks lessons figures ui pages)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help run test fuzz bench messages clean

help:
	@echo "make run        start the app and print its URL    (PORT=8600; ARGS=\"--server.address 0.0.0.0\" for a classroom)"
	@echo "make test       ruff, pyright, all tests           (ARGS=\"-k adam\" goes to pytest)"
	@echo "make fuzz       type 100,000 wrong formulas        (CASES=1000000 types more)"
	@echo "make bench      how fast it is, as a table"
	@echo "make messages   collect the words to translate into locales/"
	@echo "make clean      remove what make and the tools made"

run: .venv/installed-run
	@$(PY) -m streamlit run app.py --server.showEmailPrompt false --server.address 127.0.0.1 \
		--browser.gatherUsageStats false $(if $(PORT),--server.port $(PORT)) $(ARGS)

test: .venv/installed-dev
	@$(PY) tools/chromium.py --install
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m pyright
	@$(PY) -m pytest $(ARGS)

fuzz: .venv/installed-dev
	@DESCENT_FUZZ=$$(( ($(or $(CASES),100000) + 1) / 2 )) $(PY) -m pytest tests/test_formula_fuzz.py $(ARGS)

bench: .venv/installed-dev
	@$(PY) -m benchmarks $(ARGS)

messages: .venv/installed-run
	@$(PY) -m babel.messages.frontend --quiet extract --keyword=_ --add-comments=Translators: --add-location=file \
		--sort-by-file --no-wrap --project="Descent Lab" --version=1 --copyright-holder="Descent Lab authors" \
		--output=$(CATALOGUE) $(SOURCES)
	@for language in $(LANGUAGES); do \
		po=locales/$$language/LC_MESSAGES/descent_lab.po; \
		if [ -e $$po ]; then set -- update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date; else set -- init; fi; \
		$(PY) -m babel.messages.frontend --quiet "$$@" --no-wrap --domain=descent_lab --input-file=$(CATALOGUE) \
			--output-dir=locales --locale=$$language || exit 1; \
	done

clean:
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis $(CATALOGUE)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/pip:
	@sh tools/create_venv.sh

.venv/installed-run: requirements.txt | .venv/bin/pip
	@echo "Installing what the app needs into .venv (minutes the first time) ..."
	@$(PY) -m pip install --quiet -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt requirements.txt | .venv/bin/pip
	@echo "Installing what the tests need into .venv (minutes the first time) ..."
	@$(PY) -m pip install --quiet -r requirements-dev.txt
	@touch .venv/installed-run $@
