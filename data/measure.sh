#!/bin/sh
# Measures the table of results in data/README.md: students alone, with their teacher, and with L1 as well.
# SEEDS="1 2 3" chooses the seeds; a line a run on stdout: set, mode, seed, accuracy on the test set, share of zeros.
set -eu
export OMP_NUM_THREADS=1
cd "$(dirname "$0")/.."
bin=${PELLUCID_BIN:-target/release}
data=${PELLUCID_DATA:-data}
work=${PELLUCID_WORK:-target/results}

student() { # set, mode, seed, more flags
    set_name=$1 mode=$2 seed=$3
    shift 3
    run=$work/$set_name-$mode-$seed
    rm -rf "$run"
    zeros=$("$bin/pellucid" train --headless --json --model "$data/models/student" --train "$data/$set_name/train.jsonl" \
        --valid "$data/$set_name/valid.jsonl" --epochs 20 --lr 1e-3 --eval-every 60 --probe 0 --threads 1 \
        --seed "$seed" --run-dir "$run" "$@" 2>/dev/null |
        sed -n 's/.*"event":"ended".*"sparsity\/exact":\([0-9.e-]*\).*/\1/p')
    accuracy=$("$bin/pellucid" predict --model "$run/checkpoints/best" --data "$data/$set_name/test.jsonl" --json 2>&1 >/dev/null |
        sed -n 's/^accuracy \([0-9.]*\),.*/\1/p')
    rm -rf "$run"
    echo "$set_name $mode $seed $accuracy $zeros"
}

for seed in ${SEEDS:-1 2 3 4 5}; do
    for pair in triage:teacher credit:teacher-credit clauses:teacher-clauses; do
        teacher=$data/models/${pair#*:}
        student "${pair%:*}" alone "$seed"
        student "${pair%:*}" teacher "$seed" --teacher "$teacher" --kd-alpha 0.7
        student "${pair%:*}" soft "$seed" --teacher "$teacher" --kd-alpha 0.9 --kd-temperature 4
        student "${pair%:*}" l1 "$seed" --teacher "$teacher" --kd-alpha 0.7 --l1 5e-5
    done
done
