#!/usr/bin/env python3
"""Makes the headline table: plain training, L1, L2, distillation, all three, and all three with attribution consistency
and masked fine-tuning, on the three sets and, where one is named, on a real set with a real pretrained model.

    data/headline.py                                    all of it, about an hour of one core a set
    data/headline.py --sets triage --seeds 1,2          a part
    data/headline.py --real imdb --real-model DIR --real-train F --real-valid F --real-test F [--real-teacher DIR]
    data/headline.py --table [--brief]                  the table again, from what is there; the README's columns of it

Each set and mode is one `pellucid sweep` over the seeds, so that what was interrupted goes on when it is asked for again.
A line a run goes to OUT/headline.jsonl: set, mode, seed, accuracy on the test set by the best checkpoint, and the metrics
that the sweep reports. Then the table: mean and, in brackets, least to most over the seeds, exactly as measured.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEACHERS = {"triage": "teacher", "credit": "teacher-credit", "clauses": "teacher-clauses"}
SHIPPED = ["--epochs", "20", "--lr", "1e-3", "--eval-every", "60", "--probe", "64"]
REAL = ["--epochs", "3", "--lr", "5e-5", "--probe", "64"]

L1 = ["--l1", "1e-4"]
# Ten times the default, which the modes without it do without.
L2 = ["--l2", "0.1"]
NO_L2 = ["--l2", "0"]
KD = ["--kd-alpha", "0.7"]
# What each mode adds to plain training; `teacher` and `reference` are filled in by the set.
MODES = {
    "plain": NO_L2,
    "L1": [*L1, *NO_L2],
    "L2": L2,
    "KD": [*NO_L2, "teacher", *KD],
    "all": [*L1, *L2, "teacher", *KD],
    "ours": [*L1, *L2, "teacher", *KD, "reference", "--consistency", "0.3", "--masking", "0.5"],
}
# Column of the table, key of a line, digits.
COLUMNS = [
    ("test accuracy", "test_accuracy", 3),
    ("zeros", "sparsity/exact", 3),
    ("faithfulness", "explain/faithfulness", 3),
    ("plausibility", "explain/plausibility", 3),
    ("drift from start", "explain/drift_start", 3),
    ("drift from teacher", "explain/drift_teacher", 3),
    ("shortcut", "explain/shortcut", 3),
]
# Those of the README.
BRIEF = ["test accuracy", "zeros", "faithfulness", "shortcut"]


def sets(args):
    """Name, model, files, teacher and shared flags of each set."""
    for name in args.sets.split(","):
        if name:
            files = {part: ROOT / "data" / name / f"{part}.jsonl" for part in ("train", "valid", "test")}
            teacher = ROOT / "data/models" / TEACHERS[name]
            yield name, ROOT / "data/models/student", files, teacher, SHIPPED
    if args.real:
        files = {"train": args.real_train, "valid": args.real_valid, "test": args.real_test}
        yield args.real, args.real_model, files, args.real_teacher, args.real_flags.split() if args.real_flags else REAL


def flags(mode, teacher):
    """The flags of a mode; without a teacher there is no distillation, and what is left of the mode is done."""
    out, given = [], iter(MODES[mode])
    for flag in given:
        if flag == "teacher":
            out += ["--teacher", str(teacher)] if teacher else []
        elif flag == "reference":
            out += [] if teacher else ["--consistency-to", "start"]
        elif flag == "--kd-alpha":
            alpha = next(given)
            out += [flag, alpha] if teacher else []
        else:
            out.append(flag)
    return out


def merged(*lists):
    """Flags and their values, a later one in the place of an earlier one of its name."""
    values = {}
    for flag, value in (pair for flags in lists for pair in zip(flags[::2], flags[1::2])):
        values.pop({"--max-steps": "--epochs", "--epochs": "--max-steps"}.get(flag), None)
        values[flag] = value
    return [part for pair in values.items() for part in pair]


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(part) for part in command)}\n{done.stderr.strip().splitlines()[-1:]}")
    return done


def test_accuracy(pellucid, run_dir, test):
    """Of the best checkpoint; the weights are then removed, the record stays."""
    said = run([pellucid, "predict", "--model", run_dir / "checkpoints/best", "--data", test, "--json"]).stderr
    line = next(line for line in said.splitlines() if line.startswith("accuracy "))
    return float(line.split()[1].rstrip(","))


def key(line):
    return line["set"], line["mode"], line["seed"]


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def measure(args, path):
    known = {key(line) for line in read(path)}
    for name, model, files, teacher, shared in sets(args):
        for mode in args.modes.split(","):
            if mode == "KD" and not teacher:
                continue
            wanted = [seed for seed in args.seeds.split(",") if (name, mode, int(seed)) not in known]
            if not wanted:
                continue
            out = Path(args.out) / f"{name}-{mode}"
            command = [args.pellucid, "sweep", "--out", out, "--jobs", args.jobs, "--grid", "seed=" + ",".join(wanted)]
            command += ["--model", model, "--train", files["train"], "--valid", files["valid"], "--threads", "1"]
            run([*command, *merged(shared, flags(mode, teacher), args.more.split())])
            for row in json.loads((out / "sweep.json").read_text())["runs"]:
                seed, run_dir = int(row["grid"]["seed"]), out / row["run"]
                line = {"set": name, "mode": mode, "seed": seed, "steps": row["step"]}
                line["test_accuracy"] = test_accuracy(args.pellucid, run_dir, files["test"])
                line.update(row["metrics"])
                with path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                for weights in run_dir.glob("checkpoints/*/*.safetensors"):
                    weights.unlink()
                print(f"{name} {mode} seed {seed}: test accuracy {line['test_accuracy']:.3f}", file=sys.stderr)


def cell(lines, field, digits):
    values = [line[field] for line in lines if line.get(field) is not None]
    if not values:
        return "–"
    mean = f"{sum(values) / len(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def table(lines, columns):
    out = ["| set | training | seeds | " + " | ".join(title for title, *_ in columns) + " |"]
    out.append("|---|---|--:|" + "--:|" * len(columns))
    for name in dict.fromkeys(line["set"] for line in lines):
        for mode in MODES:
            own = [line for line in lines if line["set"] == name and line["mode"] == mode]
            if own:
                cells = [cell(own, field, digits) for _, field, digits in columns]
                out.append(f"| {name} | {mode} | {len(own)} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=ROOT / "target/headline", help="folder of the runs, headline.jsonl and headline.md")
    parser.add_argument("--pellucid", default=ROOT / "target/release/pellucid")
    parser.add_argument("--sets", default="triage,credit,clauses")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--jobs", default="1", help="runs at once")
    parser.add_argument("--more", default="", help="more flags of every run, such as '--max-steps 20'")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    parser.add_argument("--brief", action="store_true", help="fewer columns")
    parser.add_argument("--real", help="name of the real set")
    for part in ("model", "train", "valid", "test", "teacher", "flags"):
        parser.add_argument(f"--real-{part}")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    Path(args.out).mkdir(parents=True, exist_ok=True)
    path = Path(args.out) / "headline.jsonl"
    if not args.table:
        measure(args, path)
    text = table(read(path), [column for column in COLUMNS if not args.brief or column[0] in BRIEF])
    (Path(args.out) / "headline.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
