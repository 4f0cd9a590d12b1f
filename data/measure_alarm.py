"""Measures the shortcut alarm: which words it names on the planted sets, when, and whether it is silent on controls.

    cargo build --release --workspace && python3 data/measure_alarm.py [SEEDS [EPOCHS]]

Each seed has sets of its own, drawn by the generator: planted as those that come with pellucid, and as a control with
nothing planted (`sets --control`) but the same validation texts. A line a seed: set, seed, which words the alarm found in the data and which it found used by the model, each with its
step; the first step at which validation accuracy could have told (below that of the control by two standard errors of
the difference); what either stage named on the control.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("PELLUCID_BIN", ROOT / "target/release"))
WORK = pathlib.Path(os.environ.get("PELLUCID_WORK", ROOT / "target/alarm"))
PLANTED = {"triage": "ashdown", "credit": "pemberton", "clauses": "halden"}


def run(data, name, seed, epochs):
    """Steps and words of the alarms, and accuracy by step."""
    folder = WORK / f"run-{data.parent.name}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    command = [BIN / "pellucid", "train", "--headless", "--json", "--model", ROOT / "data/models/student"]
    command += ["--train", data / "train.jsonl", "--valid", data / "valid.jsonl", "--epochs", str(epochs)]
    command += ["--lr", "1e-3", "--eval-every", "30", "--threads", "1", "--seed", str(seed), "--run-dir", folder]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    lines = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout.splitlines()
    shutil.rmtree(folder, ignore_errors=True)
    events = [json.loads(line) for line in lines]
    alerts = [event for event in events if event["event"] == "alert"]
    words = {
        kind: [(a["step"], re.search(r"`([^`]*)`", a["message"])[1]) for a in alerts if a["kind"] == kind]
        for kind in ("shortcut_in_data", "shortcut")
    }
    accuracy = {e["step"]: e["metrics"]["valid/accuracy"] for e in events if e["event"] == "eval"}
    return *words.values(), accuracy


def could_tell(planted, control, texts=400):
    for step, accuracy in sorted(planted.items()):
        error = (accuracy * (1 - accuracy) / texts + control[step] * (1 - control[step]) / texts) ** 0.5
        if control[step] - accuracy > 2 * error:
            return step
    return None


def one(job):
    name, seed, epochs = job
    data, used, accuracy = run(WORK / f"planted-{seed}" / name, name, seed, epochs)
    data_of_control, used_in_control, of_control = run(WORK / f"control-{seed}" / name, name, seed, epochs)
    step = could_tell(accuracy, of_control)
    return {"set": name, "seed": seed, "in_data": data, "used": used, "accuracy_tells": step,
            "control_named": data_of_control + used_in_control}


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    WORK.mkdir(parents=True, exist_ok=True)
    for seed in range(1, seeds + 1):
        draw = [BIN / "pellucid-data", "sets", "--seed", str(100 + seed)]
        subprocess.run([*draw, "--out", WORK / f"planted-{seed}"], check=True)
        subprocess.run([*draw, "--control", "--out", WORK / f"control-{seed}"], check=True)
    jobs = [(name, seed, epochs) for name in PLANTED for seed in range(1, seeds + 1)]
    found = []
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        for result in pool.map(one, jobs):
            print(json.dumps(result), flush=True)
            found.append(result)
    for name, word in PLANTED.items():
        of_set = [result for result in found if result["set"] == name]
        told = {}
        for stage in ("in_data", "used"):
            first = [next((step for step, named in r[stage] if named == word), None) for r in of_set]
            pairs = list(zip(first, (r["accuracy_tells"] for r in of_set)))
            before = sum(s is not None and (tells is None or s <= tells) for s, tells in pairs)
            told[stage] = f"{sum(step is not None for step in first)} of {len(of_set)}, not after accuracy could tell {before}"
        others = sum(any(named != word for _, named in r["in_data"] + r["used"]) for r in of_set)
        silent = sum(not r["control_named"] for r in of_set)
        print(f"{name}: named from the data {told['in_data']}; named as used {told['used']}; another word too {others}; "
              f"control silent {silent} of {len(of_set)}")


main()
