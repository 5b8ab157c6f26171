# The words that a person types, the same ones that CI types. `make help` lists them.

# Everything that links aws-sdk-ec2 has the same SDK features and one profile, so that it is compiled once.
FEATURES := aws,cli,mocks
EVENT ?= events/sample.json
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
BOOTSTRAP := $(CARGO_TARGET_DIR)/debug/bootstrap
export OPENDLM_BOOTSTRAP := $(BOOTSTRAP)
PYTHON ?= python3
VENV := .venv/bin/python
# The rooms that decide: what `make mutants` breaks.
FILES ?= src/plan src/policy/decode src/schedule src/turn
# Tools that cargo installs, kept beside the compiled crates.
TOOLS := $(CARGO_TARGET_DIR)/tools
CARGO_DENY_VERSION := 0.20.2
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_FUZZ_VERSION := 0.13.2
# What `make bench` measures: `start`, `run`, `runs`, `planner`; all where nothing is said.
BENCHES ?=
# How many years `make soak` simulates; half as many more copy their snapshots to other Regions.
SEEDS ?= 300
# How long each target of `make fuzz` runs.
SECONDS ?= 60

# What the function is built for: arm64 or x86_64, as the template's parameter Architecture.
ARCHITECTURE ?= arm64
LAMBDA_BUILD = cargo lambda build --release $(LAMBDA_TARGET) --no-default-features --features aws --bin bootstrap
LAMBDA_TARGET = $(or $(LAMBDA_TARGET_$(ARCHITECTURE)),$(error ARCHITECTURE is $(ARCHITECTURE), expected arm64 or x86_64))
LAMBDA_TARGET_arm64 := --arm64
LAMBDA_TARGET_x86_64 := --x86-64

.DEFAULT_GOAL := help
.PHONY: help run invoke serve test deployed test-core bench bootstrap check fmt clippy walls doc deny mutants fuzz soak validate build deploy build-OpendlmFunction clean

help: ## list these words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ready ## do the main job here: a local AWS, the real function, EVENT=events/sample.json
	@$(VENV) tests/local/run.py --bootstrap $(BOOTSTRAP) $(EVENT)

invoke: ready ## a single turn: EVENT=events/sample.json
	@$(VENV) tests/local/invoke.py --bootstrap $(BOOTSTRAP) $(EVENT)

serve: ready ## a local AWS in the foreground, to try the command line against
	@$(VENV) tests/local/serve.py

test: ready ## every test
	cargo test --locked --features $(FEATURES)
	$(VENV) -m pytest -q tests/local

# The function as `make run` has it, stripped: what is deployed for real is compiled from the start, for another machine.
deployed: ready ## deploy the stack with the SAM CLI to an AWS emulator by others, and run it there (450 MB of Python packages)
	@cargo build --locked --features $(FEATURES) --bin opendlm
	@$(PYTHON) tests/deployed/prepare.py $(BOOTSTRAP)
	$(VENV) -m pytest -q -rs tests/deployed

test-core: ## the ground floor alone, under a minute from cold: no AWS crate is compiled
	cargo test --locked --lib

# What is deployed, built for this machine: the SDK once more, without its test doors and optimised. CI never does. The
# simulated runs need none of it.
bench: venv ## BENCHES="start run runs planner": cold starts and a run beside boto3, simulated runs, the planner; compiles for minutes
ifneq ($(filter-out runs planner,$(or $(BENCHES),all)),)
	cargo build --locked --release --no-default-features --features aws --bin bootstrap
endif
	cargo build --locked --profile soak --bin bench
	@$(VENV) tests/local/bench.py --bootstrap $(CARGO_TARGET_DIR)/release/bootstrap $(BENCHES)

bootstrap: function ## build the function for this machine; the last line is its path
	@echo $(BOOTSTRAP)

check: fmt clippy walls doc deny ## format, lints with and without AWS, documentation, dependencies

fmt:
	cargo fmt --check

clippy:
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --features $(FEATURES) -- -D warnings

# The ground floor and its tests build without AWS and without tokio.
walls:
	@! cargo tree --locked --edges normal,build,dev --prefix none | grep -E '^(aws-|lambda_|tokio|hyper)'
	@mkdir -p $(CARGO_TARGET_DIR)
	@$(SDK_TREE) normal,build --features aws,mocks | $(OF_SDK) > $(CARGO_TARGET_DIR)/sdk-of-run.txt
	@$(SDK_TREE) normal,build,dev --features $(FEATURES) | $(OF_SDK) > $(CARGO_TARGET_DIR)/sdk-of-test.txt
	@diff $(CARGO_TARGET_DIR)/sdk-of-run.txt $(CARGO_TARGET_DIR)/sdk-of-test.txt || \
		{ echo 'make run and make test would each compile aws-sdk-ec2: see the feature alike in Cargo.toml'; exit 1; }

# What aws-sdk-ec2 is compiled with, and with which features (docs/decisions/0004).
SDK_TREE := cargo tree --locked --no-dedupe --prefix depth --format ' {p} [{f}]' --edges
OF_SDK := awk '$$1 <= 1 { is_in = ($$2 == "aws-sdk-ec2") } is_in { $$1 = ""; print }' | sort -u

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --document-private-items

deny:
	@test -x $(TOOLS)/bin/cargo-deny || CARGO_TARGET_DIR=$(TOOLS)/build cargo install --quiet --locked --root $(TOOLS) cargo-deny@$(CARGO_DENY_VERSION)
	$(TOOLS)/bin/cargo-deny check bans licenses sources

# Mutants are compiled beside the other crates and for themselves, so that nobody waits for the lock of the other.
mutants: ## what the tests would not notice (docs/mutants.md): hours, or minutes with FILES=src/turn
	@test -x $(TOOLS)/bin/cargo-mutants || CARGO_TARGET_DIR=$(TOOLS)/build cargo install --quiet --locked --root $(TOOLS) cargo-mutants@$(CARGO_MUTANTS_VERSION)
	@mkdir -p $(CARGO_TARGET_DIR)/mutants
	CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/mutants/target $(TOOLS)/bin/cargo-mutants mutants --output $(CARGO_TARGET_DIR)/mutants \
		$(foreach room,$(FILES:/**=),--file '$(room).rs' --file '$(room)/**')

# The readers have no unsafe code, so no sanitizer looks at them: twice the executions. RUSTC_BOOTSTRAP lets the stable
# compiler take the flags of coverage, which libFuzzer goes by.
FUZZ = RUSTC_BOOTSTRAP=1 PATH="$(TOOLS)/bin:$$PATH" cargo fuzz run --fuzz-dir fuzz --sanitizer none
FUZZ_FLAGS = -max_total_time=$(SECONDS) -timeout=10 -print_final_stats=1

soak: ## SEEDS=10000 simulated years with all faults on, every crash point, and rules broken on purpose
	cargo build --locked --profile soak --bin soak
	$(CARGO_TARGET_DIR)/soak/soak --crash-points
	$(CARGO_TARGET_DIR)/soak/soak --broken-rules
	$(CARGO_TARGET_DIR)/soak/soak $(SEEDS)

fuzz: ## hostile input for the readers, SECONDS=60 for each of the two targets (compiles for minutes at first)
	@test -x $(TOOLS)/bin/cargo-fuzz || CARGO_TARGET_DIR=$(TOOLS)/build cargo install --quiet --locked --root $(TOOLS) cargo-fuzz@$(CARGO_FUZZ_VERSION)
	@mkdir -p fuzz/corpus/cron fuzz/corpus/event
	$(FUZZ) cron fuzz/corpus/cron fuzz/seeds/cron -- $(FUZZ_FLAGS) -max_len=256
	$(FUZZ) event fuzz/corpus/event fuzz/seeds/event -- $(FUZZ_FLAGS) -max_len=65536 -dict=fuzz/event.dict

validate: ## sam validate --lint and the state machine's schema (342 MB of Python packages)
	$(PYTHON) tests/local/sam_validate.py

build: ## the zip for Lambda, target/lambda/bootstrap/bootstrap.zip, ARCHITECTURE=arm64 (needs cargo-lambda and the target)
	$(LAMBDA_BUILD) --output-format zip

# What `sam build` calls. `make deployed` has built the function already, for this machine, and says where it is.
build-OpendlmFunction:
ifdef OPENDLM_BUILT
	cp $(OPENDLM_BUILT) $(ARTIFACTS_DIR)/bootstrap
else
	$(LAMBDA_BUILD)
	cp $(CARGO_TARGET_DIR)/lambda/bootstrap/bootstrap $(ARTIFACTS_DIR)/
endif

deploy: ## build and deploy to the account that your credentials name, ARCHITECTURE=arm64
	ARCHITECTURE=$(ARCHITECTURE) sam build && sam deploy --guided --parameter-overrides Architecture=$(ARCHITECTURE)

clean: ## forget what was built
	rm -rf .venv .venv-sam .local .aws-sam
	cargo clean

.PHONY: ready function venv
# The compiler leaves a core idle for most of aws-sdk-ec2, which is enough for the Python packages.
ready:
	@$(MAKE) --no-print-directory -j2 function venv

# Without the command line, whose crates the SDK does not share: that much less to compile before the first run.
function:
	@cargo build --locked --features aws,mocks --bin bootstrap

venv:
	@$(PYTHON) tests/local/setup.py
