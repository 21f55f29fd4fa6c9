"""Fuzzes what comes with a model from strangers: template sources, messages, tokenizer_config.json, model
cards, GGUF headers. libFuzzer, guided by coverage, over the targets in src/targets.rs.

Each target runs for its share of the time, from what was written for it (corpus) and what was found before
(found, one input a line, in hex); what it finds goes to target/fuzz/found. A crash, a hang of more than 5 s
or more than 1 GB of memory ends the run with an error and leaves the input in target/fuzz/artifacts. --keep
writes the fewest inputs that cover as much to found.

Usage: run.py [--seconds N] [--keep] [target…]      30 minutes in total, all targets, unless told
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "fuzz"
BUILT = ROOT / "target" / "fuzz"
TARGETS = ["template", "messages", "tokenizer_config", "model_card", "gguf"]
# Coverage by flags that the stable compiler has.
FLAGS = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
]
# Templates get the most: they are programs.
SHARES = {"template": 4, "messages": 1, "tokenizer_config": 2, "model_card": 2, "gguf": 1}
LIMITS = ["-timeout=5", "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-print_final_stats=1", "-verbosity=0"]


def build() -> Path:
    # libFuzzer is coverage's reader and is not counted itself; build scripts run as they are.
    host = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    triple = next(line.split()[1] for line in host.splitlines() if line.startswith("host:"))
    environment = {**os.environ, "RUSTFLAGS": " ".join(FLAGS), "CARGO_TARGET_DIR": str(BUILT)}
    command = ["cargo", "build", "--release", "--target", triple]
    subprocess.run(command, cwd=HERE, env=environment, check=True)
    return BUILT / triple / "release"


def fuzz(program: Path, name: str, seconds: int) -> bool:
    found, artifacts = BUILT / "found" / name, BUILT / "artifacts" / name
    for folder in (found, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    kept = HERE / "found" / f"{name}.hex"
    for number, line in enumerate(kept.read_text().split() if kept.exists() else []):
        (found / f"kept-{number}").write_bytes(bytes.fromhex(line))
    dictionary = HERE / f"{name}.dict"
    command = [program, found, HERE / "corpus" / name, *LIMITS, f"-max_total_time={seconds}"]
    command += [f"-artifact_prefix={artifacts}/", "-max_len=4096"]
    command += [f"-dict={dictionary}"] if dictionary.exists() else []
    print(f"--- {name}: {seconds} s", flush=True)
    return subprocess.run(command, cwd=BUILT).returncode == 0


def keep(program: Path, name: str) -> None:
    """Keeps the fewest inputs that cover what the corpus does not."""
    corpus = HERE / "corpus" / name
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder)
        command = [program, "-set_cover_merge=1", merged, corpus, BUILT / "found" / name, *LIMITS]
        subprocess.run(command, cwd=BUILT, check=True)
        written = {path.read_bytes() for path in corpus.iterdir()}
        inputs = {path.read_bytes() for path in merged.iterdir()} - written
    lines = sorted((one.hex() for one in inputs), key=lambda line: (len(line), line))
    (HERE / "found").mkdir(exist_ok=True)
    (HERE / "found" / f"{name}.hex").write_text("".join(f"{line}\n" for line in lines if line))


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzzes what comes from strangers.")
    parser.add_argument("--seconds", type=int, default=1800, help="for all targets together")
    parser.add_argument("--keep", action="store_true", help="write what is worth keeping to found")
    parser.add_argument("target", nargs="*", help=", ".join(TARGETS))
    arguments = parser.parse_args()
    targets = arguments.target or TARGETS
    unknown = set(targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target is called {', '.join(sorted(unknown))}")
    release = build()
    total = sum(SHARES[name] for name in targets)
    failed = []
    for name in targets:
        if not fuzz(release / name, name, max(1, arguments.seconds * SHARES[name] // total)):
            failed.append(name)
        elif arguments.keep:
            keep(release / name, name)
    print(f"{len(targets) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
