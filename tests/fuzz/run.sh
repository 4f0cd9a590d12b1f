#!/bin/sh
# Runs every target of the fuzzer for SECONDS_EACH seconds (60), from its saved inputs, and prints a JSON line for each.
# TARGETS="log frame" chooses some. Needs a nightly compiler, and no cargo-fuzz; `cargo fuzz run TARGET` works as well.
set -eu
cd "$(dirname "$0")"
seconds=${SECONDS_EACH:-60}
targets=${TARGETS:-$(ls fuzz_targets | sed 's/\.rs$//')}
platform=$(rustc -vV | sed -n 's/^host: //p')
build=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target/fuzz}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
bins=$(for target in $targets; do printf -- '--bin %s ' "$target"; done)
# Nothing is written next to the sources: inputs that are found stay in a temporary folder, failures in target/fuzz.
# shellcheck disable=SC2086
RUSTFLAGS="$coverage" CARGO_TARGET_DIR="$build" cargo +nightly build ${JOBS:+-j "$JOBS"} --release --target "$platform" $bins ${FEATURES:+--no-default-features --features "$FEATURES"}
# The engine's targets load libtorch, of which the fuzzer sees nothing: only what reads is compiled for it.
libtorch=${LIBTORCH:-$(cd ../.. && pwd)/.libtorch}
export LD_LIBRARY_PATH="$libtorch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
failed=0
for target in $targets; do
    mkdir -p "$place/$target" "$build/failures"
    code=0
    "$build/$platform/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -len_control=100 \
        -print_final_stats=1 -artifact_prefix="$build/failures/$target-" "$place/$target" "corpus/$target" 2>"$place/said.txt" || code=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$place/said.txt")
    memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$place/said.txt")
    echo "{\"fuzz\":\"$target\",\"executions\":${executions:-0},\"seconds\":$seconds,\"peak_mb\":${memory:-0},\"sound\":$([ $code = 0 ] && echo true || echo false)}"
    [ $code = 0 ] || { failed=1; tail -30 "$place/said.txt" >&2; }
done
exit $failed
