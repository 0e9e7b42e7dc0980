# Parley: `make run` starts the chat, `make test` tests it; both set up what they need.
.DEFAULT_GOAL := help
.PHONY: help run test check lock build protocol bench audit faults soak revocations model fuzz mutants browsers screens lambdas invoke cloud up down tunnel
.PHONY: setup-dev setup-serverless setup-pages bundle-check
.SILENT:
unexport PYTHONDONTWRITEBYTECODE # every process of a test run would compile all that it imports again

PY := .venv/bin/python
NPM := npm --prefix frontend --no-update-notifier
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PYTEST_ARGS ?=
AUDIT_ARGS ?=
FAULTS_ARGS ?=
MODEL_ARGS ?=
FUZZ_ARGS ?=
REVOCATIONS_ARGS ?=
MUTANTS_ARGS ?=
BROWSERS_ARGS ?=

help: ## this list
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the chat at http://localhost:8000 with all it needs; Ctrl-C stops it
	bin/venv run
	exec $(PY) -m chat.embedded --stop-with-parent

test: setup-dev setup-serverless setup-pages bundle-check ## every test: the bundle, the pages, the server (PYTEST_ARGS=… picks)
ifeq ($(strip $(PYTEST_ARGS)),)
	exec $(PY) -m tests.lanes
else
	$(NPM) test --silent
	$(PY) -m pytest $(PYTEST_ARGS)
endif

check: setup-dev setup-pages bundle-check ## style and types of both halves, the bundle, the lock files
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .
	$(PY) -m mypy
	$(NPM) run --silent lint
	cd frontend && ./node_modules/.bin/tsc -b --noEmit
	$(PY) -m pytest --quiet tests/runtime/test_locks.py
	$(PY) -m frontend.scripts.protocol --check

protocol: setup-dev ## the page's types, made from the server's
	$(PY) -m frontend.scripts.protocol

build: setup-pages ## the pages: frontend/src into frontend/dist, which is committed
	$(NPM) run --silent build

lock: ## the lock files from the .in files (UPGRADE=--upgrade takes newer versions); needs uv
	command -v uv >/dev/null || { echo "make lock needs uv on the PATH." >&2; exit 2; }
	$(COMPILE) $(UPGRADE) requirements.in --output-file requirements.txt
	$(COMPILE) $(UPGRADE) --constraint requirements.txt requirements-run.in --output-file requirements-run.txt
	$(COMPILE) $(UPGRADE) --constraint requirements.txt --constraint requirements-run.txt requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) $(UPGRADE) requirements-serverless.in --output-file requirements-serverless.txt

bench: setup-dev setup-pages ## what a start, a message, a row, a day away, a delivery, the engine and a cold function cost
	$(PY) -m bench.start
	$(PY) -m bench.messages 5
	$(PY) -m bench.ingest
	$(PY) -m bench.away
	$(PY) -m bench.embedded
	$(PY) -m bench.sweep
	$(PY) -m bench.cold
	$(PY) -m bench.fanout --short

audit: setup-dev setup-pages ## whether the checker of the faults finds each planted bug, and nothing else (AUDIT_ARGS=…)
	$(PY) -m tests.faults.audit $(AUDIT_ARGS)

faults: setup-dev setup-pages ## eight minutes of faults at most, on network namespaces, 200 people at work; needs root
	$(PY) -m tests.faults.run --minutes 6 --within 8 --clients 200 --rate 50 --cut $(FAULTS_ARGS)

soak: setup-dev setup-pages ## the long form of the faults: an hour, 1,000 people
	$(PY) -m tests.faults.run --minutes 55 --clients 1000 --rooms 50 --rate 110 --workers 2 2 --cut $(FAULTS_ARGS)

screens: setup-dev setup-pages ## a picture of every screen into data/screens: wide, phone, light, dark, empty, full, failing (ONLY=room)
	bin/fonts
	$(PY) -m tests.screens.run $(foreach name,$(ONLY),--only $(name))

revocations: setup-dev setup-pages ## a thousand sessions ended in every way: nothing reaches them two seconds later
	$(PY) -m tests.faults.revocations --trials 1000 --at-a-time 100 $(REVOCATIONS_ARGS)

model: setup-dev ## twenty thousand interleavings of the real services, and each planted fault found (MODEL_ARGS=…)
	$(PY) -m tests.model.run --schedules 20000 --planted $(MODEL_ARGS)

fuzz: setup-dev ## 640,000 spoilt frames, packets, handshakes and requests, ten minutes (FUZZ_ARGS=…)
	$(PY) -m tests.transport.fuzz $(FUZZ_ARGS)

mutants: setup-dev setup-pages ## whether the tests find each of 106 mutants, of the core, of what was mended, of the page (MUTANTS_ARGS=…)
	$(PY) -m tests.mutants.run $(MUTANTS_ARGS)

browsers: setup-dev setup-pages ## thirty minutes of three browsers at work by a seeded script, and what they show (BROWSERS_ARGS=…)
	$(PY) -m tests.e2e.browsers --minutes 30 $(BROWSERS_ARGS)

lambdas: setup-dev ## the Lambda functions' packages, deploy/build/*.zip
	$(PY) -m deploy.package

invoke: setup-dev ## a function with its test event, here: FUNCTION=login (SESSION=… is the cookie that login gave)
	$(PY) -m deploy.invoke $(FUNCTION) --session "$(SESSION)"

cloud: setup-dev setup-serverless ## the template deployed to a local AWS, with the chat around it; Ctrl-C stops it
	exec $(PY) -m deploy.local

up: setup-dev setup-serverless lambdas ## the template deployed to your AWS account (PARAMETERS="Size=full …"): deploy/README.md
	$(PY) -m deploy.up $(PARAMETERS)

down: setup-dev ## the deployed template deleted with all that is in it (YES=--yes)
	$(PY) -m deploy.down $(YES)

tunnel: setup-dev ## a port of this box to the private ElastiCache, through the bastion
	$(PY) -m deploy.tunnel

setup-dev:
	bin/venv dev

setup-serverless:
	bin/venv serverless

setup-pages: frontend/node_modules/.stamp

frontend/node_modules/.stamp: frontend/package-lock.json
	node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null \
	|| { echo "Testing and building the pages needs Node 20 and npm on the PATH; running Parley does not." >&2; exit 2; }
	echo "Installing what frontend/package-lock.json pins; this happens once." >&2
	cd frontend && npm ci --silent --no-update-notifier
	touch $@

# The committed bundle must be what the source builds: the build is the same to the byte on every machine.
bundle-check: setup-pages
	built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && cd frontend \
	&& ./node_modules/.bin/vite build --logLevel error --outDir "$$built" --emptyOutDir \
	&& { diff -rq dist "$$built" >/dev/null || { echo "frontend/dist is not what frontend/src builds: run make build." >&2; exit 1; }; }
