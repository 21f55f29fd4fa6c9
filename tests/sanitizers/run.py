"""Memory checks over the C interface: AddressSanitizer with LeakSanitizer over the C conformance tests,
and valgrind over the C examples.

Only the C programs are built with AddressSanitizer; it replaces malloc for the whole process, so what
the Rust libraries and llama.cpp allocate is watched for overruns by C code, double frees and leaks.
valgrind watches every access. Nothing is suppressed. `make build` comes first.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASE = ROOT / "target" / "release"
BUILT = ROOT / "target" / "sanitizers"
EXAMPLES = ROOT / "target" / "native" / "examples" / "c"
TESTS = ["bad_input", "groups", "messages", "model", "numbers", "runtimes", "stream", "text", "vectors"]
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
# The library without an extension stands for the vendor's; it plays a script instead of a model.
SCRIPTED = RELEASE / "runtime" / "scripted" / "1.3.0" / "librkllmrt.so"
# Its tokenizer and template.
WORDS = ROOT / "tests" / "fixtures" / "words"
SCRIPT = {"pieces": ["one ", "two ", "three "], "repeat": 4, "delay_ms": 2}

# AddressSanitizer's malloc keeps the locks that other threads held at a fork, so the child may hang in
# it. The C suite runs this test without it.
NOT_WITH_ASAN = {"a_forked_child_is_told"}

ASAN = {"ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1"}
VALGRIND = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--num-callers=40",
]


def build() -> None:
    """The C tests with AddressSanitizer, the examples without."""
    native = ["make", "--silent", "--no-print-directory", "--file", "tests/conformance/native.mk"]
    sanitized = [f"out={BUILT}", "EXTRA_CFLAGS=-fsanitize=address -fno-omit-frame-pointer"]
    tests = [f"{BUILT}/tests/c/{name}" for name in TESTS]
    subprocess.run([*native, *sanitized, *tests], cwd=ROOT, check=True)
    subprocess.run([*native, "examples"], cwd=ROOT, check=True)


def install_valgrind() -> None:
    if shutil.which("valgrind"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit("valgrind is missing: apt install valgrind")
    print("valgrind is missing and this is root: installing it with apt-get, for the whole system.", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", "valgrind"], check=True)


def cases(folder: Path) -> list:
    """What is run: a name, the command, and its environment."""
    found = []
    for name in TESTS:
        source = (ROOT / "tests" / "conformance" / "c" / f"{name}.c").read_text("utf-8")
        tests = [test for test in re.findall(r"TEST\((\w+)\)", source) if test not in NOT_WITH_ASAN]
        command = [BUILT / "tests" / "c" / name, ROOT, *tests]
        found.append((f"AddressSanitizer, {name}", command, ASAN))

    script = shutil.copytree(WORDS, folder / "model")
    (script / "script.rkllm").write_text(json.dumps(SCRIPT))
    vendor = {"RKCHAT_RUNTIME": str(SCRIPTED), "RKCHAT_ABI": "1.3.0"}
    for name in ("chat", "cancel"):
        command = [*VALGRIND, EXAMPLES / name, script]
        found.append((f"valgrind, {name}, scripted runtime", command, vendor))
    question = [EXAMPLES / "chat", MODEL, "Hi", "--greedy", "--max-new-tokens", "4"]
    found.append(("valgrind, chat, SmolLM2", [*VALGRIND, *question], {}))
    return found


def main() -> None:
    build()
    install_valgrind()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, command, environment in cases(Path(folder)):
            done = subprocess.run(
                [str(part) for part in command],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=900,
            )
            text = done.stdout.decode("utf-8", "replace")
            # Each test is a process of its own; should one be ended some other way, its report still counts.
            reported = "ERROR: AddressSanitizer" in text or "ERROR: LeakSanitizer" in text
            if done.returncode == 0 and not reported:
                passed += 1
                print(f"ok      {name}", flush=True)
            else:
                failed += 1
                print(f"FAILED  {name}: exit status {done.returncode}\n{text}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
