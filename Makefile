PYTHON ?= python3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PORT ?= 8501
WORKERS ?= 2
LOCK := .venv-lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
.PHONY: run serve test lint kernels unit bench bench-page bench-peers parity readme lock browser clean

# For this machine only, and for no page that calls it by another name.
run: HOST ?= localhost
run: WORKERS := 1
run: NAMES = $(if $(filter localhost 127.0.0.1,$(HOST)),localhost 127.0.0.1)
# For everybody who reaches this machine.
serve: HOST ?= 0.0.0.0
ALLOWED_HOSTS ?= $(or $(STREAMLIT_SERVER_ALLOWED_HOSTS),$(NAMES))
run serve: .venv/run.done
	@echo "Descent Lab: http://$(if $(filter 0.0.0.0,$(HOST)),<address of this machine>,$(HOST)):$(PORT) (Ctrl+C ends it)"
	@STREAMLIT_SERVER_ALLOWED_HOSTS="$(ALLOWED_HOSTS)" exec $(BIN)/uvicorn app:app --host $(HOST) \
	--port $(PORT) --workers $(WORKERS) --no-access-log --ws websockets-sansio \
	--ws-max-size 1000000 --ws-per-message-deflate false

# What one core checks, the other one needs compiled: three servers would all do it.
test: .venv/dev.done browser
	@$(MAKE) --no-print-directory -j2 lint kernels
	@$(MAKE) --no-print-directory unit

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@if [ -e $(BIN)/biome ]; then $(BIN)/biome ci --colors=off; else echo "JavaScript is not checked: there is no biome for this platform."; fi

kernels: .venv/dev.done
	@$(BIN)/python -m ui.server.warmup

# In three streams: browsers wait a lot, and the rest computes.
unit: .venv/dev.done browser
	@$(BIN)/python -m pytest tests/browser/test_[cmnp]*.py > browser-1.log 2>&1 & one=$$!; \
	$(BIN)/python -m pytest tests/browser/test_[!cmnp]*.py > browser-2.log 2>&1 & two=$$!; \
	$(BIN)/python -m pytest --ignore tests/browser; unit=$$?; \
	wait $$one; one=$$?; wait $$two; two=$$?; cat browser-1.log browser-2.log; exit $$((unit || one || two))

bench: .venv/dev.done browser
	$(BIN)/python -m benchmarks

# PyTorch, Keras and Optax are large: they live apart and nothing else needs them.
parity: .venv-parity/done
	.venv-parity/bin/python -m tests.parity.compare

# Sweeps beside JAX and Optax, on the same cores and in one process.
bench-peers: .venv-parity/done
	.venv-parity/bin/python -m benchmarks.peers

readme: .venv/dev.done browser
	$(BIN)/python -m benchmarks.readme

.venv/run.done: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	@touch $@

.venv/dev.done: .venv/run.done requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.lock
	@touch $@

.venv-parity/done: requirements-parity.txt
	$(PYTHON) -m venv .venv-parity
	.venv-parity/bin/python -m pip install -q --disable-pip-version-check -r requirements-parity.txt
	@touch $@

# What `make run` and `make test` install, for all platforms, out of the ranges in requirements*.txt.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q --disable-pip-version-check "uv>=0.13,<0.14"
	$(LOCK) requirements.txt -o requirements.lock
	$(LOCK) requirements-dev.txt --constraint requirements.lock -o requirements-dev.lock

# The system's browser where there is one; Playwright's own otherwise. Without nginx, its test skips.
browser: .venv/dev.done
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q nginx-light; } \
	|| echo "nginx is not installed."
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q chromium; } \
	|| $(BIN)/playwright install --with-deps chromium

clean:
	rm -rf .venv .venv-parity .venv-lock .mypy_cache .ruff_cache .hypothesis browser-*.log
