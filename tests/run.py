"""Runs the test suites and sums them up.

Each suite is a make target of its own; here its output is passed on, the counts are read from its
closing lines, and the last line printed is `N passed, N failed`. A suite that ran nothing, failed
without saying how often, or took too long counts as one failure. Only a suite that needs what a machine
may not have can say `NOT RUN: why`; that is repeated at the end.

Suites that run the vectors of all languages say how many lines of each file they ran; a line that was
left out counts as a failure.

Usage: run.py [--long] [SUITE...]
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def cargo(output: str) -> Counts:
    """Sums the `test result:` lines, one for each test program."""
    found = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", output, re.M)
    return Counts(*(sum(map(int, column)) for column in zip(*found))) if found else Counts()


def closing_line(output: str) -> Counts:
    """Sums the lines `N passed, N failed` of our own test programs."""
    found = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.M)
    return Counts(sum(int(p) for p, _ in found), sum(int(f) for _, f in found))


def pytest(output: str) -> Counts:
    """The last line: `== 1 failed, 2 passed, 3 skipped in 0.1s ==`."""
    lines = [line for line in output.splitlines() if re.search(r"\d+ \w+.* in [\d.]+s", line)]
    word = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", lines[-1])} if lines else {}
    failed = word.get("failed", 0) + word.get("error", 0) + word.get("errors", 0)
    return Counts(word.get("passed", 0), failed, word.get("skipped", 0))


def node(output: str) -> Counts:
    """The summary of `node --test`, in the form of either of its default reporters."""
    word = {name: int(number) for name, number in re.findall(r"^(?:#|ℹ) (\w+) (\d+)$", output, re.M)}
    failed = word.get("fail", 0) + word.get("cancelled", 0)
    return Counts(word.get("pass", 0), failed, word.get("skipped", 0) + word.get("todo", 0))


def check(_output: str) -> Counts:
    """One check, which its exit status decides."""
    return Counts(passed=1)


# What every language runs whole.
VECTORS = ["answers.jsonl", "numbers.jsonl", "requests.jsonl"]


def left_out(output: str) -> list:
    """Of which vectors a suite did not run every line: `vectors FILE: N` is what it says, once each."""
    remarks = []
    for name in VECTORS:
        lines = len((ROOT / "tests" / "vectors" / name).read_text("utf-8").splitlines())
        # node's reporter may put a sign before what a test prints.
        ran = re.findall(rf"^(?:[#ℹ] )?vectors {re.escape(name)}: (\d+)$", output, re.M)
        if ran != [str(lines)]:
            remarks.append(f"{name}: ran {' and '.join(ran) or 'none'} of {lines} vectors")
    return remarks


@dataclass
class Suite:
    name: str
    parse: Callable[[str], Counts]
    minutes: int
    long: bool = False
    vectors: bool = False

    @property
    def target(self) -> str:
        return f"test-{self.name}"


SUITES = [
    Suite("format", check, 5),
    Suite("lint", check, 20),
    Suite("surface", check, 15),
    Suite("rust", cargo, 40, vectors=True),
    Suite("c", closing_line, 15, vectors=True),
    Suite("cpp", closing_line, 15),
    Suite("python", pytest, 15, vectors=True),
    Suite("node", node, 15, vectors=True),
    Suite("abi", closing_line, 20),
    Suite("exactness", closing_line, 20),
    Suite("docs", closing_line, 15, long=True),
    Suite("sanitize", closing_line, 25, long=True),
    Suite("cross-short", closing_line, 25, long=True),
]


def run(suite: Suite) -> tuple[Counts, str]:
    """Runs one suite; gives its counts and, where it went wrong, a remark."""
    print(f"\n=== {suite.name}: make {suite.target}", flush=True)
    # A session of its own, so that what a suite leaves behind can be ended with it.
    process = subprocess.Popen(
        ["make", "--silent", "--no-print-directory", suite.target],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    late = threading.Event()

    def too_long() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(suite.minutes * 60, too_long)
    timer.start()
    output = bytearray()
    try:
        for line in process.stdout:
            output += line
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
        status = process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()

    text = output.decode("utf-8", "replace")
    counts = suite.parse(text)
    not_run = re.findall(r"^NOT RUN: .*$", text, re.M)
    counts.skipped += len(not_run)
    if late.is_set():
        counts.failed += 1
        return counts, f"ended after {suite.minutes} minutes"
    if status != 0:
        if suite.parse is check:
            counts.passed = 0
        counts.failed = max(counts.failed, 1)
        return counts, f"exit status {status}"
    if counts.passed == 0 and not not_run:
        counts.failed = max(counts.failed, 1)
        return counts, "ran nothing"
    missing = left_out(text) if suite.vectors else []
    counts.failed += len(missing)
    return counts, "; ".join([*missing, *not_run])


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the test suites and sums them up.")
    parser.add_argument("--long", action="store_true", help="the documents, the sanitizers and Arm too")
    parser.add_argument("suite", nargs="*", help="only these: " + ", ".join(s.name for s in SUITES))
    arguments = parser.parse_args()
    unknown = set(arguments.suite) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no suite is called {', '.join(sorted(unknown))}")
    if arguments.suite:
        suites = [suite for suite in SUITES if suite.name in arguments.suite]
    else:
        suites = [suite for suite in SUITES if arguments.long or not suite.long]

    # A shell starts background jobs with Ctrl-C ignored, and tests that interrupt a program inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows = []
    total = Counts()
    for suite in suites:
        start = time.monotonic()
        counts, remark = run(suite)
        rows.append((suite.name, counts, time.monotonic() - start, remark))
        total.passed += counts.passed
        total.failed += counts.failed

    print(f"\n{'suite':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for name, counts, seconds, remark in rows:
        figures = f"{counts.passed:>8}{counts.failed:>8}{counts.skipped:>9}{seconds:>9.1f}"
        print(f"{name:<12}{figures}  {remark}".rstrip())
    print(f"\n{total.passed} passed, {total.failed} failed", flush=True)
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
