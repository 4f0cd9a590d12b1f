#!/bin/sh
# Measures what the terms of the loss on reasons do, on data/triage: plain training and training without a planted
# shortcut as the two ends; right reasons with the word named; distillation without and with attribution consistency;
# masked fine-tuning. SEEDS="1 2 3" chooses the seeds, MODES="plain rrr" the modes. A line a run on stdout: mode, seed,
# accuracy on the test set, on its texts with the planted word and on those without, median ms of a step, and from the
# last evaluation: drift from the teacher's maps, faithfulness, share of the time that the probe set took.
set -eu
export OMP_NUM_THREADS=1
cd "$(dirname "$0")/.."
bin=${PELLUCID_BIN:-target/release}
work=${PELLUCID_WORK:-target/reasons}
set_name=${SET:-triage}
case $set_name in triage) word=Ashdown teacher=teacher ;; credit) word=Pemberton teacher=teacher-credit ;; *) word=Halden teacher=teacher-clauses ;; esac
"$bin/pellucid-data" sets --control --out "$work/control"

number() { # a metric of the events on stdin: of the last evaluation, or the median of the steps
    case $1 in
    speed/step_ms) grep '"event":"step"' | sed -n "s|.*\"$1\":\([0-9.e-]*\).*|\1|p" | sort -g | awk '{v[NR] = $1} END {printf "%.1f", v[int((NR + 1) / 2)]}' ;;
    *) grep '"event":"eval"' | tail -n 1 | sed -n "s|.*\"$1\":\([0-9.e-]*\).*|\1|p" | awk '{printf "%.3f", $1}' ;;
    esac
}

student() { # mode, seed, folder of the data, more flags
    mode=$1 seed=$2 data=$3
    shift 3
    run=$work/$set_name-$mode-$seed
    rm -rf "$run" "$run.jsonl"
    "$bin/pellucid" train --headless --json --model data/models/student --train "$data/$set_name/train.jsonl" \
        --valid "$data/$set_name/valid.jsonl" --epochs 20 --lr 1e-3 --eval-every 60 --threads 1 --probe 64 \
        --seed "$seed" --run-dir "$run" "$@" >"$run.jsonl" 2>/dev/null
    accuracy=
    for part in all with without; do
        case $part in
        all) cat "data/$set_name/test.jsonl" ;;
        with) grep -w "$word" "data/$set_name/test.jsonl" ;;
        *) grep -vw "$word" "data/$set_name/test.jsonl" ;;
        esac >"$run.test.jsonl"
        accuracy="$accuracy $("$bin/pellucid" predict --model "$run/checkpoints/last" --data "$run.test.jsonl" --json 2>&1 >/dev/null |
            sed -n 's/^accuracy \([0-9.]*\),.*/\1/p')"
    done
    line="$mode $seed$accuracy"
    for metric in speed/step_ms explain/drift_teacher explain/faithfulness speed/probe_share; do
        line="$line $(number $metric <"$run.jsonl")"
    done
    rm -rf "$run" "$run.jsonl" "$run.test.jsonl"
    echo "$line"
}

for seed in ${SEEDS:-1 2 3 4 5}; do
    for mode in ${MODES:-plain control rrr distilled consistent masked}; do
        taught="--teacher data/models/$teacher --kd-alpha 0.7"
        case $mode in
        plain) student plain "$seed" data ;;
        control) student control "$seed" "$work/control" ;;
        rrr) student rrr "$seed" data --avoid "$word" --rrr "${RRR:-1}" ;;
        distilled) student distilled "$seed" data $taught ;;
        consistent) student consistent "$seed" data $taught --consistency "${CONSISTENCY:-0.3}" ;;
        masked) student masked "$seed" data --masking "${MASKING:-0.5}" ;;
        esac
    done
done
