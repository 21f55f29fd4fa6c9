# make demo    a chat with a small model on this machine's CPU
# make test    all tests, in Rust, C, C++, Python and Node
# Both do their own set-up, inside this folder: .venv, .cache, target, bindings/node/node_modules.
# Further targets are listed by `make help`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
export PYTHON

# What tests note of their use of the NPU concerns no other program.
export RKCHAT_LOCK_DIR := $(CURDIR)/target/locks

model := .cache/models/SmolLM2-135M-Instruct.Q4_1.gguf
python := .venv/bin/python
cargo := tools/build-env.sh cargo

# The workspace in two halves, each always built whole: were the sets to vary, so would the features of
# what they share, and llama.cpp would be built again.
groups := v1-0-0 v1-0-1 v1-1-0 v1-2-0 v1-2-1b1 v1-2-1 v1-3-0
runtime_crates := rkchat-runtime-front rkchat-runtime-engine rkchat-scripted \
    $(addprefix rkchat-runtime-,$(groups)) $(addprefix rkchat-scripted-,$(groups))
runtime_set := $(addprefix --package ,$(runtime_crates))
client_set := --workspace $(addprefix --exclude ,$(runtime_crates))

.PHONY: help
help:
	@echo 'make demo           chat with a small model on the CPU'
	@echo 'make test           all tests; ends with "N passed, N failed"'
	@echo 'make test-SUITE     one suite: $(suites)'
	@echo 'make surface        write what is generated from core/src/surface'
	@echo 'make surface-check  compare it with what is committed'
	@echo 'make bench          speed over the CPU runtime against llama.cpp called directly, and of prompts'
	@echo 'make sanitize       valgrind and AddressSanitizer over the C programs'
	@echo 'make test-cross     the tests without llama.cpp for arm64 and armhf, under qemu'
	@echo 'make fuzz           fuzzing of what comes with a model; half an hour'
	@echo 'make test-docs      run what the documents show'
	@echo 'make clean          remove what was built (kept: .venv and the model)'

# --- Set-up

.PHONY: check-demo check-test
check-demo check-test: check-%:
	@tools/prerequisites.sh $*

.venv/build-tools: tools/requirements-build.txt tools/venv.sh | check-demo
	tools/venv.sh $<
	@touch $@

.venv/test-tools: tools/requirements-test.txt tools/venv.sh .venv/build-tools
	tools/venv.sh $<
	@touch $@

$(model): tools/fetch_model.py | .venv/build-tools
	$(python) $<
	@touch -c $@

# Real tokenizers, which tests compare with transformers.
tokenizers := .cache/tokenizers/.fetched
$(tokenizers): tools/fetch-tokenizers.sh | check-test
	$<
	@touch $@

node_modules := $(addsuffix /node_modules/.package-lock.json,bindings/node tests/abi)
$(node_modules): %/node_modules/.package-lock.json: %/package-lock.json %/package.json
	npm ci --prefix $* --ignore-scripts --no-audit --no-fund
	@touch $@

# --- Building

.PHONY: runtime build
runtime: check-demo .venv/build-tools
	$(cargo) build --release $(runtime_set)
	runtime/install.sh target/release target/release/runtime

build: check-test runtime .venv/test-tools $(model) $(tokenizers) $(node_modules)
	$(cargo) build --release $(client_set)
	ln -sfn librkchat.so target/release/librkchat.so.0
	ln -sfn ../../../../target/release/librkchat_python.so bindings/python/python/rkchat/_native.abi3.so
	ln -sfn ../../../../target/release/runtime bindings/python/python/rkchat/runtime
	echo $(CURDIR)/bindings/python/python > "$$($(python) -c 'import site; print(site.getsitepackages()[0])')/rkchat.pth"
	npm run --silent --prefix bindings/node build

.PHONY: demo
demo: runtime $(model)
	$(cargo) build --release --package rkchat-examples
	@echo
	@target/release/demo $(model)

generate := $(cargo) run --quiet --release --package rkchat-generator -- generate

.PHONY: surface surface-check
surface: check-test
	$(generate)

surface-check: check-test
	$(generate) --check

# --- Tests

suites := format lint surface rust c cpp python node abi exactness docs sanitize cross cross-short

.PHONY: test
test: build
	@$(python) tests/run.py

# The suites themselves; `make build` comes first, but for test-cross*, which build their own.
.PHONY: $(addprefix test-,$(suites))
test-format:
	cargo fmt --all --check

test-lint:
	$(cargo) clippy --release $(runtime_set) --all-targets -- --deny warnings
	$(cargo) clippy --release $(client_set) --all-targets -- --deny warnings

test-surface: surface-check

test-rust:
	failed=0; \
	$(cargo) test --release --no-fail-fast $(runtime_set) || failed=1; \
	$(cargo) test --release --no-fail-fast $(client_set) || failed=1; \
	exit $$failed

# A sample of ../shared/templates for the languages besides Rust, which tries them all.
.PHONY: template-sample
template-sample:
	$(PYTHON) tests/conformance/template_sample.py target/template-sample

test-c test-python test-node: template-sample

test-c test-cpp: test-%:
	$(MAKE) --file tests/conformance/native.mk $*

test-python:
	$(python) -m pytest tests/conformance/python

test-node:
	node --test tests/conformance/node/

test-abi:
	$(python) tests/abi/run.py

test-exactness:
	$(cargo) build --release $(runtime_set) --examples
	$(MAKE) --file tests/conformance/native.mk examples
	$(python) tests/conformance/exactness.py
	$(python) tests/conformance/tool_loop.py

test-docs:
	@mkdir -p target/release/docs
	$(cargo) build --quiet --release $(client_set) --message-format=json >target/release/docs/artifacts.json
	$(python) tools/test_docs.py

test-sanitize:
	$(python) tests/sanitizers/run.py

# All of it, and what CI takes of it.
test-cross:
	$(PYTHON) tests/cross/run.py

test-cross-short:
	$(PYTHON) tests/cross/run.py --short

.PHONY: sanitize bench fuzz
sanitize: build test-sanitize

# SECONDS_TO_FUZZ in total; findings stay in target/fuzz.
SECONDS_TO_FUZZ ?= 1800
fuzz:
	$(PYTHON) tests/fuzz/run.py --seconds $(SECONDS_TO_FUZZ)

bench: build
	$(cargo) build --release $(runtime_set) --examples
	$(cargo) build --release $(client_set) --examples
	$(python) tools/bench.py
	$(python) tools/bench/prompts.py
	$(python) tools/bench/chat.py

.PHONY: clean
clean:
	rm -rf target bindings/node/node_modules bindings/node/dist tests/abi/node_modules
