"""Measures the shortcut alarm: which words it names on the planted sets, when, and whether it is silent on controls.

    cargo build --release --workspace && python3 data/measure_alarm.py [SEEDS [EPOCHS]]

Each seed has sets of its own, drawn by the generator: planted as those that come with pellucid, and as a control with
nothing planted (`sets --control`) but the same validation texts. A line a seed: set, seed, what was named on the planted set and at which step, the first step at which validation accuracy could
have told (below that of the control by two standard errors of the difference), what was named on the control.
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
    named = [
        (event["step"], re.match(r"shortcut: `([^`]*)`", event["message"])[1])
        for event in events
        if event["event"] == "alert" and event["message"].startswith("shortcut: ")
    ]
    accuracy = {e["step"]: e["metrics"]["valid/accuracy"] for e in events if e["event"] == "eval"}
    return named, accuracy


def could_tell(planted, control, texts=400):
    for step, accuracy in sorted(planted.items()):
        error = (accuracy * (1 - accuracy) / texts + control[step] * (1 - control[step]) / texts) ** 0.5
        if control[step] - accuracy > 2 * error:
            return step
    return None


def one(job):
    name, seed, epochs = job
    named, accuracy = run(WORK / f"planted-{seed}" / name, name, seed, epochs)
    silent, of_control = run(WORK / f"control-{seed}" / name, name, seed, epochs)
    step = could_tell(accuracy, of_control)
    return {"set": name, "seed": seed, "named": named, "accuracy_tells": step, "control_named": silent}


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
        first = [next((step for step, named in r["named"] if named == word), None) for r in of_set]
        right = sum(step is not None for step in first)
        pairs = list(zip(first, (r["accuracy_tells"] for r in of_set)))
        before = sum(s is not None and (told is None or s <= told) for s, told in pairs)
        others = sum(any(named != word for _, named in r["named"]) for r in of_set)
        silent = sum(not r["control_named"] for r in of_set)
        print(f"{name}: named {right} of {len(of_set)}, not after accuracy could tell {before}, "
              f"with another word too {others}; control silent {silent} of {len(of_set)}")


main()
