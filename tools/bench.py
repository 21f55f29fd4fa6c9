"""Speed of a chat through rkchat and the CPU runtime against llama.cpp called directly, in one run.

Both programs are timed from outside, as a user sees them, with the same model, prompt, threads and
settings, turn by turn, so that what else the machine does meets both. Prefill and decode are
differences between runs that differ only in the prompt's length or in the number of tokens.

Then how long it takes to recognise a librkllmrt.so of the size of Rockchip's, against sha1sum of the
same file. The file is in the page cache. Prints Markdown tables; a ratio above 1 means that rkchat takes
longer.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target" / "release"
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from exactness import CONTEXT, rendered  # noqa: E402

ROUNDS = 5
# Those of Rockchip's have 5 to 15 MB.
VENDOR_SIZE = 8 << 20
NEW_TOKENS = 64
QUESTION = "Write a long story about a lighthouse and the people who live near it."
LONG_QUESTION = "Here is a list of ships: " + "the Albatross, the Heron, the Kittiwake, " * 24 + QUESTION


def rkchat(question: str, new_tokens: int) -> list:
    return [RELEASE / "chat", MODEL, question, "--greedy", "--max-new-tokens", new_tokens]


def direct(question: str, new_tokens: int) -> list:
    threads = len(os.sched_getaffinity(0))
    return [RELEASE / "examples" / "direct", MODEL, CONTEXT, threads, new_tokens, rendered(question)]


def seconds(command: list) -> float:
    start = time.monotonic()
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.monotonic() - start


def recognition() -> None:
    """A library that nobody published, so that all evidence is needed."""
    library = (RELEASE / "runtime" / "scripted" / "1.3.0" / "librkllmrt.so").read_bytes()
    rows = {"what the file tells": [], "and a call in a child process": [], "the same file again": []}
    peer = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "librkllmrt.so"
        path.write_bytes(library + bytes(VENDOR_SIZE - len(library)))
        for _ in range(ROUNDS):
            command = [RELEASE / "examples" / "recognise", path]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            for row, value in zip(rows.values(), done.stdout.split()):
                row.append(float(value))
            peer.append(seconds(["sha1sum", path]) * 1000)
    theirs = statistics.median(peer)
    print(f"\nMedian of {ROUNDS} rounds, in milliseconds: a library of {VENDOR_SIZE >> 20} MB.\n")
    print("| | rkchat | sha1sum | ratio |\n|---|---|---|---|")
    for name, row in rows.items():
        ours = statistics.median(row)
        print(f"| {name} | {ours:.3f} | {theirs:.3f} | {ours / theirs:.3f} |")


def main() -> None:
    chat()
    recognition()


def chat() -> None:
    rows = {"start to first token": {}, "prefill": {}, "decode": {}}
    for _ in range(ROUNDS):
        for program in (rkchat, direct):
            first = seconds(program(QUESTION, 1))
            long_first = seconds(program(LONG_QUESTION, 1))
            long_all = seconds(program(LONG_QUESTION, NEW_TOKENS))
            for row, value in zip(rows.values(), (first, long_first - first, long_all - long_first)):
                row.setdefault(program, []).append(value)

    print(f"Median of {ROUNDS} rounds, in seconds: {MODEL.name}, {len(os.sched_getaffinity(0))} threads, "
          f"{NEW_TOKENS} new tokens.\n")
    print("| | rkchat | llama.cpp directly | ratio |\n|---|---|---|---|")
    for name, row in rows.items():
        ours, theirs = statistics.median(row[rkchat]), statistics.median(row[direct])
        print(f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
