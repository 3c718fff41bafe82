# The few commands that people and .ci/run type. scripts/setup says what it installs.

CARGO ?= cargo

# KEYS=softhsm or KEYS=sdf: the demo's keys are in a SoftHSM2 token (RSA), or in the SDF device for
# tests (SM2 and RSA), instead of files.
DEMO_FLAGS := $(if $(KEYS),--keys $(KEYS))
DEMO_NEEDS := $(if $(filter sdf,$(KEYS)),-p yinxin-sdf-test)

.PHONY: help demo test lint bench bench-sm fuzz clean

help:
	@echo 'make demo    issue, seal, verify and catch a forged proof; results in target/demo;'
	@echo '             KEYS=softhsm or KEYS=sdf: with keys in a device'
	@echo 'make test    every test, with the independent readers that can be installed'
	@echo 'make lint    formatting, clippy with warnings as errors, one build for demo and tests'
	@echo 'make bench   measurements'
	@echo 'make fuzz    every fuzz target for SECONDS=60; see tests/fuzz/README.md'
	@echo 'make bench-sm  SM2 and SM3 beside other libraries, and the gate on their instructions'
	@echo 'make clean   remove what was built; fonts and peers in target/ go as well'

demo:
	scripts/setup $(filter softhsm,$(KEYS))
	$(CARGO) build -p yinxin $(DEMO_NEEDS)
	$(CARGO) run -p yinxin -- demo --out target/demo $(DEMO_FLAGS)

test:
	scripts/setup peers
	$(CARGO) test --workspace --no-fail-fast

lint:
	$(CARGO) fmt --all --check
	scripts/check-one-build
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# With the dev profile, in which all that hashes and parses is optimised: a release build of the
# typesetter would take longer than everything else together.
bench:
	scripts/setup
	$(CARGO) bench --profile dev -p yinxin-pdf --bench open
	$(CARGO) bench --profile dev -p yinxin-signer --bench small
	$(CARGO) bench --profile dev -p yinxin-tests --bench large
	$(CARGO) bench --profile dev -p yinxin-tests --bench small
	$(CARGO) bench --profile dev -p yinxin-hsm --bench pool

# Not part of the tests: what it tries is different each time.
SECONDS ?= 60
TARGETS ?= $(basename $(notdir $(wildcard tests/fuzz/fuzz_targets/*.rs)))
fuzz:
	@if $(CARGO) fuzz --version >/dev/null 2>&1; then \
		tests/fuzz/run $(SECONDS) $(TARGETS); \
	else \
		echo 'SKIPPED: fuzzing: cargo-fuzz is not installed (cargo install cargo-fuzz)' >&2; \
	fi

bench-sm:
	$(CARGO) test -p yinxin-sm --test instructions -- --ignored --nocapture
	$(CARGO) bench -p yinxin-sm --bench compare

clean:
	$(CARGO) clean
