# pellucid: `make run` and `make test` do all that they need, from a fresh clone on.

LIBTORCH_LINK := .libtorch
PICTURES ?= src/dashboard/pictures
TORCH_FREE := $(addprefix -p pellucid-,protocol files formats record intake import hub explain evaluate client dashboard) -p pellucid

.PHONY: build run test test-torch-free chaos fuzz parity parity-explain bench-pty libtorch tools data screenshots fmt lint

# The programs: target/release/pellucid and target/release/pellucid-worker.
build: libtorch
	cargo build --release --workspace --exclude pellucid-data

# The dashboard on the triage demo.
run: build
	target/release/pellucid demo

# Every test, the end-to-end tests with the real programs included, in a profile of their own: with every check of
# arithmetic, and compiled in half the time of the programs. Both are built by one command: by two, with what only tests
# need of a dependency or without it, most crates would be compiled twice.
test: libtorch
	cargo build --profile checked --workspace --all-targets
	cargo test --profile checked --workspace --all-targets

# The crates without torch, where there is no libtorch.
test-torch-free: tools
	env -u LIBTORCH -u LIBTORCH_USE_PYTORCH cargo test --profile checked $(TORCH_FREE)

# Runs that are killed, whose log is cut, whose writes fail, whose folders hold links and pipes, which are started and
# removed at once, commands with any argument, and a day of events: JSON lines say what became of them. Some minutes;
# SEED=N for other moments, ONLY=kills|cuts|faults|trees|races|owned for some kinds, between commas (then without the day);
# of the last three, TRIES=N makes the first N tries, and TRY=N that one alone.
chaos: build
	cargo test --release -q -p pellucid-tests --test chaos
	@[ -n "$(ONLY)" ] || cargo test --release -q -p pellucid-engine --test suite -- --ignored --nocapture soak
	@[ -n "$(ONLY)" ] || cargo test --release -q -p pellucid-dashboard -- --ignored --nocapture soak

# Every reader of what comes from outside, for SECONDS_EACH=60 each; needs a nightly compiler (rustup toolchain install
# nightly). What it has found so far runs with the tests.
fuzz: libtorch
	tests/fuzz/run.sh

# Logits and saved folders beside those of transformers, for every family, what `pellucid import` makes of folders in old
# layouts, then COUNT=100 random folders of each. PYTHON must have torch and transformers 4.57; PYTHON5, if there is one, transformers 5, whose random folders are compared as
# well. MODEL=DIR TEXTS=FILE.tsv compares a folder of your own.
parity: build
	for python in $(or $(PYTHON),python3) $(PYTHON5); do \
		$$python tests/parity/parity.py $(if $(MODEL),--model $(MODEL) --texts $(TEXTS)) || exit 1; \
		$$python tests/parity/layouts.py || exit 1; \
		$$python tests/parity/fuzz.py --count $(or $(COUNT),100) --seed $(or $(SEED),1) || exit 1; \
	done

# Explanations of the fine-tuned folder MODEL=DIR on TEXTS=FILE.tsv beside those of torch, lime and Captum, which PYTHON
# must have as well.
parity-explain: build
	$(or $(PYTHON),python3) tests/parity/explanations.py --model $(MODEL) --texts $(TEXTS)
	$(or $(PYTHON),python3) tests/parity/equal_error.py --model $(MODEL) --texts $(TEXTS)

# What the dashboard costs on a terminal of its own beside a training: keys, bytes, memory, the training's pace.
bench-pty: build
	python3 tests/pty/measure.py

# The pinned libtorch behind .libtorch; CUDA=1 for the full one. A LIBTORCH or LIBTORCH_USE_PYTORCH of your own wins.
libtorch: tools
	@[ -n "$(LIBTORCH)$(LIBTORCH_USE_PYTORCH)" ] || python3 src/engine/fetch_libtorch.py $(if $(CUDA),--cuda) $(LIBTORCH_LINK)

tools:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }
	@command -v c++ >/dev/null || command -v g++ >/dev/null || { echo "g++ is missing: apt-get install g++ (macOS: xcode-select --install)" >&2; exit 1; }
	@command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3 python3-pip (macOS: brew install python)" >&2; exit 1; }

# The three sets and the small models, anew from their seeds; the models take long.
data: build
	cargo build --release -p pellucid-data
	target/release/pellucid-data sets --out data --seed 20
	sh data/make_models.sh

# Pictures of the screens of a recorded run, RUN=NAME or the newest, in RUNS=runs. Open it in the dashboard before and
# press `e` on a sample, or the Explain screen has nothing to show. BESIDE=NAME is another run to compare it with; SWEEP=DIR
# a folder of runs, made by `pellucid sweep`, for the picture of all of them.
SHOT = target/release/pellucid --runs $(or $(RUNS),runs) screenshot $(RUN)
screenshots: build
	mkdir -p $(PICTURES)
	for screen in train samples layers log; do \
		$(SHOT) --screen $$screen --out $(PICTURES)/$$screen.svg || exit 1; \
	done
	$(SHOT) --screen explain --keys "m" --out $(PICTURES)/explain.svg
	$(SHOT) --screen explain --keys "m w w" --out $(PICTURES)/waterfall.svg
	$(SHOT) --screen samples --keys "!" --size 108x30 --out $(PICTURES)/shortcuts.svg
	$(SHOT) --list --size 110x10 --out $(PICTURES)/runs.svg
	[ -z "$(BESIDE)" ] || $(SHOT) --beside $(BESIDE) --out $(PICTURES)/compare.svg
	[ -z "$(SWEEP)" ] || target/release/pellucid --runs $(SWEEP) screenshot --frontier --out $(PICTURES)/frontier.svg

fmt:
	cargo fmt --all

# Format, clippy and documentation. With the profile of the tests, so that the C++ of torch-sys is compiled once.
lint: libtorch
	cargo fmt --all --check
	cargo clippy --profile checked --workspace --all-targets -- -D warnings
	cargo clippy --profile checked --workspace --test chaos -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --profile checked --workspace --no-deps --document-private-items

# Licences and sources of the dependencies; needs no network (cargo install cargo-deny).
deny:
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install cargo-deny" >&2; exit 1; }
	cargo deny --offline check licenses bans sources
