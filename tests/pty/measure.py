"""What the real dashboard costs on a pty of 200x50 beside a training at full load: JSON lines on stdout.

    python3 tests/pty/measure.py [--seconds 3] [--rounds 100]

Measured: key to first byte (p50, p99), bytes a second while it trains, processor time and bytes while the run is
held, resident memory, and what an attached dashboard takes of the training (stretches in turn). Standard library
alone; `make build` first. Linux: it reads /proc.
"""

import argparse
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import tempfile
import termios
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PELLUCID = os.path.join(ROOT, "target", "release", "pellucid")

# Fewer than any screen takes that follows another, more than a frame of steps.
SCREEN_BYTES = 700

# Seconds in which a dashboard that was just attached has read the log and drawn.
SETTLE = 1

# Steps after which a training is under way: the libraries are loaded, the teacher has answered.
WARM_STEPS = 30


class Screen:
    """The dashboard on a pty."""

    def __init__(self, args, folder):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execv(PELLUCID, [PELLUCID, *args])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

    def drain(self, seconds):
        """Bytes that come within `seconds`."""
        count, end = 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            count += self.read(left)
        return count

    def read(self, seconds):
        """Bytes that come first, waiting for them so long; none once the dashboard is gone."""
        if not select.select([self.master], [], [], seconds)[0]:
            return 0
        try:
            return len(os.read(self.master, 1 << 16))
        except OSError:
            time.sleep(seconds)
            return 0

    def key_ms(self, key):
        """Milliseconds from a key that opens a screen to its bytes, on a line that was quiet for a moment."""
        while self.read(0.002):
            pass
        start, count = time.perf_counter(), 0
        os.write(self.master, key)
        # What a step that is drawn takes is less.
        while count < SCREEN_BYTES and time.perf_counter() - start < 5:
            count += self.read(5)
        return (time.perf_counter() - start) * 1e3

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self):
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self.drain(0.05)
        os.close(self.master)


def train(folder, run, steps):
    data = os.path.join(ROOT, "data")
    return [
        "train", "--model", f"{data}/models/student", "--train", f"{data}/triage/train.jsonl",
        "--valid", f"{data}/triage/valid.jsonl", "--run-dir", f"{folder}/{run}", "--max-steps", str(steps),
        "--eval-every", "100000", "--probe", "0", "--batch-size", "32",
    ]


def step_times(folder, run):
    with open(f"{folder}/{run}/events.jsonl") as log:
        events = [json.loads(line) for line in log if line.endswith("\n")]
    return [event["time"] for event in events if event["event"] == "step"]


def watched(folder):
    """A training with its dashboard: keys, bytes, memory; then held: bytes and processor time."""
    screen = Screen(train(folder, "watched", 10_000_000), folder)
    while not os.path.exists(f"{folder}/watched/events.jsonl") or len(step_times(folder, "watched")) < WARM_STEPS:
        screen.drain(0.2)
    delays = sorted(screen.key_ms(b"12345"[n % 5 : n % 5 + 1]) for n in range(200) if screen.drain(0.03) >= 0)
    tell("pty/key", p50_ms=statistics.median(delays), p90_ms=delays[int(len(delays) * 0.9) - 1],
         p99_ms=delays[int(len(delays) * 0.99) - 1], keys=len(delays))
    screen.key_ms(b"1")
    before, count = screen.cpu_seconds(), screen.drain(10)
    tell("pty/live", bytes_a_second=count / 10, cpu_percent=(screen.cpu_seconds() - before) * 10)
    tell("pty/memory", resident_mb=screen.resident_mb())
    os.write(screen.master, b"p")
    screen.drain(5)
    before, count = screen.cpu_seconds(), screen.drain(20)
    tell("pty/idle", bytes=count, cpu_percent=(screen.cpu_seconds() - before) * 5)
    os.write(screen.master, b"S")
    screen.drain(0.5)
    os.write(screen.master, b"K")
    screen.drain(3)
    screen.close()


def slowdown(folder, seconds, rounds):
    """What an attached dashboard takes of one training: stretches with it and without it in turn, each beside its own."""
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    training = subprocess.Popen([PELLUCID, *train(folder, "slowed", 10_000_000), "--headless"], **quiet)
    while not os.path.exists(f"{folder}/slowed/events.jsonl") or len(step_times(folder, "slowed")) < WARM_STEPS:
        time.sleep(0.2)
    stretches, busy = [], []
    for number in range(2 * rounds):
        # Alone, attached, attached, alone: what drifts evenly cancels out.
        attached = number % 4 in (1, 2)
        screen = Screen(["attach", f"{folder}/slowed"], folder) if attached else None
        wait(screen, SETTLE)
        start, before = time.time(), screen.cpu_seconds() if screen else 0
        wait(screen, seconds)
        stretches.append((attached, start, time.time()))
        if screen:
            busy.append((screen.cpu_seconds() - before) / seconds * 100)
            screen.close()
    training.send_signal(signal.SIGINT)
    training.wait()
    times = step_times(folder, "slowed")
    pace = [(attached, step_ms(times, start, end)) for attached, start, end in stretches]
    pairs = [sorted(pace[at : at + 2]) for at in range(0, len(pace), 2)]
    ratios = sorted(shown / alone for (_, alone), (_, shown) in pairs)
    quarter = len(ratios) // 4
    tell("pty/slowdown", alone_ms=statistics.median(ms for attached, ms in pace if not attached),
         attached_ms=statistics.median(ms for attached, ms in pace if attached),
         percent=(statistics.median(ratios) - 1) * 100,
         quartiles_percent=[(ratios[quarter] - 1) * 100, (ratios[-1 - quarter] - 1) * 100],
         dashboard_cpu_percent=statistics.median(busy), rounds=rounds, seconds=seconds)


def wait(screen, seconds):
    """Takes what the screen writes as seldom as will do: a terminal of one's own costs this machine nothing."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(0.2, left))
        while screen and screen.read(0):
            pass


def step_ms(times, start, end):
    within = [at for at in times if start <= at <= end]
    return (within[-1] - within[0]) / (len(within) - 1) * 1e3


def tell(bench, **figures):
    print(json.dumps({"bench": bench, **figures}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="pellucid-pty-")
    try:
        watched(folder)
        slowdown(folder, args.seconds, args.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
