# make help lists the targets. Settings are variables: make run PORT=9000 DELETE_AFTER_SECONDS=20
.DEFAULT_GOAL := help
.SUFFIXES:
# Every target with a description.
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*[#][#].*/\1/p' $(firstword $(MAKEFILE_LIST)))

SHELL := /bin/bash
# Elsewhere each process would compile all that it imports anew.
export PYTHONDONTWRITEBYTECODE :=
ENV ?= local
LOCAL := $(or $(STATE),.local)
CALLS = $(abspath $(LOCAL))/calls
ENVIRONMENTS = $(shell sed -nE 's/^\[([A-Za-z0-9_-]+)\.deploy\.parameters\].*/\1/p' samconfig.toml)
SAM_CLI_VERSION := 1.170.0
SAM_CLI := .venv-sam/installed-$(SAM_CLI_VERSION)

# The Lambda runtime is python3.13 (.python-version); anything from 3.11 runs the local stack and the tests.
FIND_PYTHON = for python in python3.13 python3; do \
	if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; exit; fi; done
NO_PYTHON = echo "error: Python 3.11 or newer, with venv, is needed and neither python3.13 nor python3 is. Install it (Debian, \
	Ubuntu: apt-get install python3 python3-venv) and try again." >&2; exit 1
PYTEST = .venv/bin/python -m pytest
# Most of the end-to-end tests wait: more workers than cores.
WORKERS = -n 4
# uv reads neither the system's certificates nor pip's settings unless it is told.
export UV_SYSTEM_CERTS := 1
INDEX = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$(.venv/bin/python -m pip config list | \
	sed -nE "s/^(:env:|install|site|user|global)\.index-url='(.*)'$$/\2/p" | head -n 1)}"
UV = $(INDEX) .venv/bin/uv pip install --quiet --python .venv/bin/python --requirements requirements.txt

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  %-15s %s\n", $$1, $$2}'

run: .venv/run ## runs the stack here: make run [PORT=8787] [DELETE_AFTER_SECONDS=20] [any other setting of docs/reference/settings.md]
	@exec .venv/bin/python -m infra.local

invoke: .venv/run ## calls a function of the local stack without HTTP: make invoke WORKFLOW=verify_send [EVENT=a file, or JSON]
	@.venv/bin/python -m infra.invoke "$$WORKFLOW" "$$EVENT"

preview: .venv/run ## shows every email in every language while you edit it: make preview [PORT=8788] [BRAND_COLOR=#0055ff] [any other setting]
	@exec .venv/bin/python -m infra.preview

test: .venv/dev ## runs all tests, also while make run is up: make test [ARGS="-k check -x"]
	@$(PYTEST) $(if $(ARGS),,$(WORKERS)) $(ARGS)

test-fast: .venv/dev ## runs quick tests that need no local stack, for while you edit: under a minute
	@$(PYTEST) -n 3 -m "not slow and not soak" tests/workflows tests/unit

soak: .venv/dev ## runs long tests, ten minutes at most: storms, crashes, long lists, many examples
	@SOAK=1 $(PYTEST) --session-timeout=600 $(WORKERS) $(ARGS)

test-sam: .venv/dev $(SAM_CLI) ## tests what needs the SAM CLI or a clone: rehearsed deployments, make workflow: make test-sam [ARGS="-k deploy"]
	@$(PYTEST) $(WORKERS) tests/sam $(ARGS)

calls: .venv/dev ## shows the AWS and HTTP calls of each function over all tests, and which permissions none of them used
	@rm -rf "$(CALLS)" && mkdir -p "$(CALLS)"
	@CALLS_FOLDER="$(CALLS)" $(PYTEST) -p tests.calls.plugin $(WORKERS) $(ARGS)
	@.venv/bin/python -m tests.calls.report "$(CALLS)"

lint: .venv/dev ## checks style, types and template.yaml
	@echo "ruff"; .venv/bin/ruff check --output-format concise . && .venv/bin/ruff format --check .
	@echo "mypy"; .venv/bin/mypy
	@echo "cfn-lint"; $(PYTEST) $(WORKERS) tests/lint

lint-emails: .venv/dev .venv/html/installed ## checks the HTML of every email for mail programs; needs npm's registry
	@$(PYTEST) tests/html

docs: .venv-docs/installed ## builds the documents as a site that loads nothing from elsewhere: .site/index.html
	@.venv-docs/bin/zensical build --strict --clean
	@! grep -rnoE '<(script|link|img)[^>]*(src|href)="https?://[^"]*' .site --include='*.html' || { \
		echo "error: the site loads these from elsewhere" >&2; exit 1; }
	@echo "To read it: .venv/bin/python -m http.server --bind 127.0.0.1 --directory .site 8789"

format: .venv/dev ## formats the code
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

build: .venv/dev $(SAM_CLI) ## sam validate and sam build, then tries every built function under AWS's own runtime client: make build [ENV=dev]
	@$(INDEX) .venv/bin/python -m infra.build --env $(ENV)

# samconfig.toml by its absolute path: the SAM CLI looks for it beside the template, which is the built one.
deploy: known-env .venv/dev $(SAM_CLI) ## builds and deploys to AWS: make deploy ENV=dev
	@.venv/bin/python -m infra.preflight --env $(ENV)
	@$(INDEX) .venv/bin/python -m infra.build --env $(ENV)
	@.venv-sam/bin/sam deploy --template-file .aws-sam/build/template.yaml --config-file "$(CURDIR)/samconfig.toml" --config-env $(ENV)

delete: known-env .venv/run ## deletes a deployed stack with all that is in it, after its name is typed: make delete ENV=dev
	@.venv/bin/python -m infra.delete --env $(ENV)

# Said at once, before anything is installed or built.
.PHONY: known-env
known-env:
	@$(if $(and $(filter 1,$(words $(ENV))),$(filter $(ENV),$(ENVIRONMENTS))),:,echo "error: ENV is '$(ENV)', no environment of samconfig.toml. Say which one: \
		make $(firstword $(MAKECMDGOALS)) ENV=<$(subst $() ,|,$(strip $(ENVIRONMENTS)))>" >&2; exit 1)

workflow: .venv/dev ## makes a new workflow, blank or as a copy of another: make workflow NAME=greet FROM=blank (or FROM=send_email_template)
	@.venv/bin/python -m infra.generate --name "$$NAME" --from "$$FROM"

logs: .venv/run ## shows log lines: make logs [REQUEST=<request_id>] [RUN=<run_id>] [WORKFLOW=verify_send] [FOLLOW=1] [ENV=prod]
	@.venv/bin/python -m infra.logs --env $(ENV) --request "$$REQUEST" --run "$$RUN" --workflow "$$WORKFLOW" $(if $(filter-out 0,$(FOLLOW)),--follow)

token: .venv/run ## issues a token and shows it once: make token NAME=web KIND=publishable SCOPES=workflow:verify_send [DAYS=90] [AUDIENCE=https://api.example.com] [ENV=prod]
	@.venv/bin/python -m infra.tokens --env $(ENV) issue --name "$$NAME" --kind "$$KIND" --scopes "$$SCOPES" --days "$(or $(DAYS),0)" --audience "$$AUDIENCE"

tokens: .venv/run ## lists tokens: make tokens [ENV=prod]
	@.venv/bin/python -m infra.tokens --env $(ENV) list

revoke: .venv/run ## revokes a token: make revoke ID=<token id> [ENV=prod]
	@.venv/bin/python -m infra.tokens --env $(ENV) revoke "$$ID"

unlock: .venv/run ## forgets a destination's failures and sends: make unlock TO=ana@example.com [ENV=prod], or resumes SMS: make unlock COUNTRY=DE
	@.venv/bin/python -m infra.operate --env $(ENV) unlock --to "$$TO" --country "$$COUNTRY"

webhook-secret: .venv/run ## sets what a source of webhooks signs with, typed or on standard input: make webhook-secret SOURCE=twilio [ENV=prod]
	@.venv/bin/python -m infra.webhooks --env $(ENV) "$$SOURCE"

rotate-keys: .venv/run ## makes a new code key; codes that were sent stay valid: make rotate-keys [ENV=prod]
	@.venv/bin/python -m infra.operate --env $(ENV) rotate-keys

secret: .venv/run ## shows a secret of the stack: make secret NAME=registration-token [ENV=prod] (or events-key, usersnap-portal-key)
	@.venv/bin/python -m infra.operate --env $(ENV) secret "$$NAME"

clean: ## forgets the state of the local stack (stop make run first)
	@pid=$$(cat $(LOCAL)/emulator.pid 2>/dev/null); if [ -n "$$pid" ] && ps -o command= -p $$pid | grep -q ministack; then \
		echo "error: the local stack is up (its emulator is process $$pid). Stop it with Ctrl-C in its terminal." >&2; exit 1; fi
	@rm -rf $(LOCAL)
	@echo "The local stack's state is gone; the next make run starts afresh."

.venv/bin/uv:
	@python=$$($(FIND_PYTHON)); test -n "$$python" || { $(NO_PYTHON); }; \
	echo "making the virtual environment ($$($$python --version))"; \
	rm -rf .venv && $$python -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

.venv/run: .venv/bin/uv requirements.txt pyproject.toml
	@echo "installing what the local stack needs"; $(UV) --group $$(test -f .venv/dev && echo dev || echo run)
	@touch $@

.venv/dev: .venv/bin/uv requirements.txt pyproject.toml
	@echo "installing what the tests need"; $(UV) --group dev
	@touch $@ .venv/run

.venv/html/installed: .venv/dev tests/html/package-lock.json
	@echo "installing what checks the HTML of emails"; mkdir -p .venv/html && cp tests/html/package*.json .venv/html
	@cd .venv/html && ../bin/npm ci --ignore-scripts --no-audit --no-fund --silent || { \
		echo "error: npm's registry is needed for it, and did not answer as it should: cd .venv/html && ../bin/npm ci" >&2; exit 1; }
	@touch $@

.venv-docs/installed: .venv/bin/uv pyproject.toml
	@echo "installing what builds the documents in an environment of its own"
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-docs
	@$(INDEX) .venv/bin/uv pip install --quiet --python .venv-docs/bin/python --group docs
	@touch $@

$(SAM_CLI): .venv/bin/uv
	@echo "installing the SAM CLI in an environment of its own"
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-sam
	@$(INDEX) .venv/bin/uv pip install --quiet --python .venv-sam/bin/python aws-sam-cli==$(SAM_CLI_VERSION)
	@touch $@
