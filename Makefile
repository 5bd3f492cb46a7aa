# make help lists the targets with their usage. Settings are variables: make run PORT=9000
.DEFAULT_GOAL := help
.SUFFIXES:
# Every target with a description.
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*[#][#].*/\1/p' $(firstword $(MAKEFILE_LIST)))

SHELL := /bin/bash
# Some systems set it, and then each process compiles its imports anew.
export PYTHONDONTWRITEBYTECODE :=
ENV ?= local
LOCAL := $(or $(STATE),.local)
CALLS = $(abspath $(LOCAL))/calls
ENVIRONMENTS = $(shell sed -nE 's/^\[([A-Za-z0-9_-]+)\.deploy\.parameters\].*/\1/p' samconfig.toml)
SAM_CLI_VERSION := 1.170.0
# No linter of PyPI both knows OpenAPI 3.1 and is kept up; this one is npm's.
REDOCLY_VERSION := 2.77.0
SAM_CLI := .venv-sam/installed-$(SAM_CLI_VERSION)

# The Lambda runtime is python3.13 (.python-version); the local stack and the tests need 3.11.
FIND_PYTHON = for python in python3.13 python3; do \
	if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; exit; fi; done
NO_PYTHON = echo "error: neither python3.13 nor python3 is Python 3.11 or newer with venv. \
	Install it (Debian, Ubuntu: apt-get install python3 python3-venv) and try again." >&2; exit 1
PYTEST = .venv/bin/python -m pytest
# More workers than cores, as most of the end-to-end tests wait.
WORKERS = -n 4
# By default uv reads neither the system's certificates nor pip's settings.
export UV_SYSTEM_CERTS := 1
INDEX = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$(.venv/bin/python -m pip config list | \
	sed -nE "s/^(:env:|install|site|user|global)\.index-url='(.*)'$$/\2/p" | head -n 1)}"
UV = $(INDEX) .venv/bin/uv pip install --quiet --python .venv/bin/python \
	--requirements requirements.txt
# samconfig.toml by its absolute path: the SAM CLI looks for it beside the built template.
SAM_DEPLOY = .venv-sam/bin/sam deploy --template-file .aws-sam/build/template.yaml \
	--config-file "$(CURDIR)/samconfig.toml" --config-env $(ENV)

# A line that begins with #: shows the usage of the target below it.
help: ## lists the targets
	@awk -F ':.*## ' '/^#: / { usage = usage sprintf("\n%20s%s", "", substr($$0, 4)) } \
		/^[a-z-]+:.*## / { printf "  %-15s %s%s\n", $$1, $$2, usage; usage = "" }' \
		$(MAKEFILE_LIST)

#: make run [PORT=8787] [DEBUG=verify_send] [any setting of docs/reference/settings.md]
run: .venv/run $(if $(filter command,$(firstword $(origin DEBUG))),.venv/debug) ## runs the stack on this machine
	@exec .venv/bin/python -m infra.local

#: make invoke WORKFLOW=verify_send [EVENT=<file or JSON>]
invoke: .venv/run ## calls a function of the local stack without HTTP
	@.venv/bin/python -m infra.invoke "$$WORKFLOW" "$$EVENT"

#: make preview [PORT=8788] [BRAND_COLOR=#0055ff] [any other setting]
preview: .venv/run ## shows every email in every language while you edit it
	@exec .venv/bin/python -m infra.console

#: make test [ARGS="-k check -x"]
test: .venv/dev ## runs all tests, also while make run is up
	@$(PYTEST) $(if $(ARGS),,$(WORKERS)) $(ARGS)

test-fast: .venv/dev ## runs quick tests without a local stack, in some two minutes
	@$(PYTEST) -n 3 -m "not slow and not soak" tests/workflows tests/unit

soak: .venv/dev ## runs long tests (storms, crashes, long lists), then make fuzz: some 20 minutes
	@SOAK=1 $(PYTEST) --session-timeout=2400 $(if $(ARGS),,-n 2 --ignore tests/e2e/test_openapi.py) $(ARGS)
	@$(if $(ARGS),,$(MAKE) --no-print-directory fuzz)

fuzz: .venv/dev ## sends ten thousand generated calls to the local stack, alone: some 7 minutes
	@SOAK=1 $(PYTEST) tests/e2e/test_openapi.py $(ARGS)

#: make test-sam [ARGS="-k deploy"]
test-sam: .venv/dev $(SAM_CLI) ## runs tests that need the SAM CLI or a clone, such as deployments
	@$(PYTEST) $(WORKERS) tests/sam $(ARGS)

#: make bench [ARGS="--only verify_check,authorize --rounds 3"]
bench: .venv/dev ## measures built functions, and lists, beside other frameworks: docs/performance.md
	@$(INDEX) .venv/bin/python -m tests.bench $(ARGS)

#: make plan [ARGS="--verifications 50 --items 250000"]
plan: .venv/dev ## computes quotas, hot keys and memory of a load: docs/explanation/capacity.md
	@.venv/bin/python -m infra.plan $(ARGS)

calls: .venv/dev ## shows AWS and HTTP calls of each function in all tests, and unused permissions
	@rm -rf "$(CALLS)" && mkdir -p "$(CALLS)"
	@CALLS_FOLDER="$(CALLS)" $(PYTEST) -p tests.calls.plugin $(WORKERS) $(ARGS)
	@.venv/bin/python -m tests.calls.report "$(CALLS)"

lint: .venv/dev ## checks style, types and template.yaml
	@echo "ruff"; .venv/bin/ruff check --output-format concise . && .venv/bin/ruff format --check .
	@echo "mypy"; .venv/bin/mypy
	@echo "cfn-lint"; $(PYTEST) $(WORKERS) tests/lint

lint-web: .venv/dev .venv/html/installed ## checks emails' HTML and verify.js's types; needs npm's registry
	@$(PYTEST) tests/html

#: make test-browser [ARGS="-k verify"] [CHROMIUM=<program>]
test-browser: .venv/browser/installed chromium ## runs tests of the console in Debian's Chromium
	@$(PYTEST) $(if $(ARGS),,-n 2) tests/browser $(ARGS)

#: make screenshots [ARGS="verify run-dark"] [CHROMIUM=<program>]
screenshots: .venv/browser/installed chromium ## takes the pictures of the documents: docs/images
	@.venv/bin/python -m tests.browser.screenshots $(ARGS)

.PHONY: chromium
chromium:
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || { echo "installing Chromium"; \
		root=$$(test "$$(id -u)" = 0 || echo sudo -n); \
		$$root apt-get update -qq && $$root apt-get install -qq --yes chromium >/dev/null; } || { \
		echo "error: install Chromium (Debian: apt-get install chromium), or name a program:" \
			"CHROMIUM=<program>" >&2; exit 1; }

lint-openapi: .venv/redocly/installed-$(REDOCLY_VERSION) ## checks openapi.json; needs npm's registry
	@PATH="$(CURDIR)/.venv/bin:$$PATH" REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
		.venv/redocly/node_modules/.bin/redocly lint docs/reference/openapi.json

docs: .venv-docs/installed ## builds the documents as a self-contained site: docs/.site/index.html
	@.venv-docs/bin/zensical build --strict --clean --config-file docs/zensical.toml
	@! grep -rnoE '<(script|link|img)[^>]*(src|href)="https?://[^"]*' docs/.site --include='*.html' || { \
		echo "error: the site loads these from elsewhere" >&2; exit 1; }
	@echo "To read it: .venv/bin/python -m http.server --bind 127.0.0.1 --directory docs/.site 8789"

format: .venv/dev ## formats the code
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

openapi: .venv/dev ## writes docs/reference/openapi.json, the description of the API
	@.venv/bin/python -m infra.openapi

#: make build [ENV=dev]
build: .venv/dev $(SAM_CLI) ## validates and builds with the SAM CLI, then tries every function
	@$(INDEX) .venv/bin/python -m infra.build --env $(ENV)

#: make deploy ENV=dev
deploy: known-env .venv/dev $(SAM_CLI) ## builds and deploys to AWS
	@.venv/bin/python -m infra.preflight --env $(ENV)
	@$(INDEX) .venv/bin/python -m infra.build --env $(ENV)
	@$(SAM_DEPLOY)

#: make delete ENV=dev
delete: known-env .venv/run ## deletes a deployed stack and its data, after its name is typed
	@.venv/bin/python -m infra.delete --env $(ENV)

# Checked first, before anything is installed or built.
.PHONY: known-env
known-env:
	@$(if $(and $(filter 1,$(words $(ENV))),$(filter $(ENV),$(ENVIRONMENTS))),:,echo \
		"error: ENV is '$(ENV)', no environment of samconfig.toml. Say which one: \
		make $(firstword $(MAKECMDGOALS)) ENV=<$(subst $() ,|,$(strip $(ENVIRONMENTS)))>" >&2; exit 1)

#: make workflow NAME=greet FROM=blank
#: make workflow NAME=send_receipt FROM=send_email_template
workflow: .venv/dev ## creates a workflow, blank or as a copy of another
	@.venv/bin/python -m infra.generate --name "$$NAME" --from "$$FROM"

#: make logs [REQUEST=<request_id>] [RUN=<run_id>] [WORKFLOW=verify_send] [FOLLOW=1] [ENV=prod]
logs: .venv/run ## shows log lines of all functions, a request, a run or a workflow
	@.venv/bin/python -m infra.logs --env $(ENV) --request "$$REQUEST" --run "$$RUN" \
		--workflow "$$WORKFLOW" $(if $(filter-out 0,$(FOLLOW)),--follow)

#: make token NAME=web KIND=publishable SCOPES=workflow:verify_send,workflow:verify_check
#:            [DAYS=90] [AUDIENCE=https://api.example.com] [ENV=prod]
token: .venv/run ## issues a token and shows it once
	@.venv/bin/python -m infra.tokens --env $(ENV) issue --name "$$NAME" --kind "$$KIND" \
		--scopes "$$SCOPES" --days "$(or $(DAYS),0)" --audience "$$AUDIENCE"

#: make tokens [ENV=prod]
tokens: .venv/run ## lists tokens
	@.venv/bin/python -m infra.tokens --env $(ENV) list

#: make revoke ID=<token id> [ENV=prod]
revoke: .venv/run ## revokes a token
	@.venv/bin/python -m infra.tokens --env $(ENV) revoke "$$ID"

#: make unlock TO=ana@example.com [ENV=prod]
#: make unlock COUNTRY=DE [ENV=prod]
unlock: .venv/run ## resets a destination's limits and SES's suppression, or resumes SMS to a country
	@.venv/bin/python -m infra.operate --env $(ENV) unlock --to "$$TO" --country "$$COUNTRY"

#: make webhook-secret SOURCE=twilio [ENV=prod]
webhook-secret: .venv/run ## sets the secret of a webhook source, typed or on standard input
	@.venv/bin/python -m infra.webhooks --env $(ENV) "$$SOURCE"

#: make rotate-keys [ENV=prod]
rotate-keys: .venv/run ## creates a new code key; codes that were sent stay valid
	@.venv/bin/python -m infra.operate --env $(ENV) rotate-keys

#: make secret NAME=registration-token [ENV=prod] (or events-key, usersnap-portal-key)
secret: .venv/run ## shows a secret of the stack
	@.venv/bin/python -m infra.operate --env $(ENV) secret "$$NAME"

clean: ## deletes the state of the local stack (stop make run first)
	@pid=$$(cat $(LOCAL)/emulator.pid 2>/dev/null); \
		if [ -n "$$pid" ] && ps -o command= -p $$pid | grep -q ministack; then \
		echo "error: the local stack is up (its emulator is process $$pid)." \
		"Stop it with Ctrl-C in its terminal." >&2; exit 1; fi
	@rm -rf $(LOCAL)
	@echo "The local stack's state is gone; the next make run starts afresh."

.venv/bin/uv:
	@python=$$($(FIND_PYTHON)); test -n "$$python" || { $(NO_PYTHON); }; \
	echo "making the virtual environment ($$($$python --version))"; \
	rm -rf .venv && $$python -m venv .venv && \
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

.venv/run: .venv/bin/uv requirements.txt pyproject.toml
	@echo "installing the packages of the local stack"
	@$(UV) --group $$(test -f .venv/dev && echo dev || echo run)
	@touch $@

.venv/debug: .venv/bin/uv pyproject.toml
	@echo "installing the debugger"; $(UV) --group debug
	@touch $@

.venv/dev: .venv/bin/uv requirements.txt pyproject.toml
	@echo "installing the packages of the tests"; $(UV) --group dev
	@touch $@ .venv/run .venv/debug

.venv/html/installed: .venv/dev tests/html/package-lock.json
	@echo "installing the checkers of HTML and types"
	@mkdir -p .venv/html && cp tests/html/package*.json .venv/html
	@cd .venv/html && ../bin/npm ci --ignore-scripts --no-audit --no-fund --silent || { \
		echo "error: npm's registry did not answer: cd .venv/html && ../bin/npm ci says more" >&2; \
		exit 1; }
	@touch $@

.venv/browser/installed: .venv/dev tests/browser/package-lock.json
	@echo "installing the packages of the browser tests"; $(UV) --group browser
	@mkdir -p .venv/browser && cp tests/browser/package*.json .venv/browser
	@cd .venv/browser && ../bin/npm ci --ignore-scripts --no-audit --no-fund --silent || { \
		echo "error: npm's registry did not answer: cd .venv/browser && ../bin/npm ci says more" >&2; \
		exit 1; }
	@touch $@

.venv/redocly/installed-$(REDOCLY_VERSION): .venv/dev
	@echo "installing Redocly's linter"
	@rm -rf .venv/redocly && mkdir -p .venv/redocly && cd .venv/redocly && \
		../bin/npm install --ignore-scripts --no-audit --no-fund --silent --prefix . \
		@redocly/cli@$(REDOCLY_VERSION)
	@touch $@

.venv-docs/installed: .venv/bin/uv pyproject.toml
	@echo "installing the builder of the documents in an environment of its own"
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-docs
	@$(INDEX) .venv/bin/uv pip install --quiet --python .venv-docs/bin/python --group docs
	@touch $@

$(SAM_CLI): .venv/bin/uv
	@echo "installing the SAM CLI in an environment of its own"
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-sam
	@$(INDEX) .venv/bin/uv pip install --quiet --python .venv-sam/bin/python \
		aws-sam-cli==$(SAM_CLI_VERSION)
	@touch $@
