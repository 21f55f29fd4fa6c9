"""Memory checks over the C interface: AddressSanitizer with LeakSanitizer over the C conformance tests,
and valgrind over the C examples.

Only the C programs are built with AddressSanitizer; it replaces malloc for the whole process, so what
the Rust libraries and llama.cpp allocate is watched for overruns by C code, double frees and leaks.
valgrind watches every access. What is not reported is listed, with reasons, in lsan.supp and
valgrind.supp. `make build` comes first.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
RELEASE = ROOT / "target" / "release"
BUILT = ROOT / "target" / "sanitizers"
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
# The library without an extension stands for the vendor's; it plays a script instead of a model.
SCRIPTED = RELEASE / "runtime" / "scripted" / "1.3.0" / "librkllmrt.so"
SCRIPT = {"pieces": ["one ", "two ", "three "], "repeat": 4, "delay_ms": 2}

ASAN = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "LSAN_OPTIONS": f"suppressions={HERE / 'lsan.supp'}:print_suppressions=0",
}
VALGRIND = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--num-callers=40",
    f"--suppressions={HERE / 'valgrind.supp'}",
]


def build(source: Path, *flags: str) -> Path:
    program = BUILT / source.stem
    command = ["cc", "-std=gnu11", "-g", "-O1", *flags, source, "-o", program]
    command += [f"-I{ROOT / 'include'}", f"-L{RELEASE}", f"-Wl,-rpath,{RELEASE}", "-lrkchat", "-lpthread"]
    subprocess.run([str(part) for part in command], check=True)
    return program


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
    for source in sorted((ROOT / "tests" / "conformance" / "c").glob("*.c")):
        if source.stem != "layout":  # only assertions of the compiler
            program = build(source, "-fsanitize=address", "-fno-omit-frame-pointer")
            found.append((f"AddressSanitizer, {source.stem}", [program, ROOT], ASAN))

    install_valgrind()
    script = folder / "script.rkllm"
    script.write_text(json.dumps(SCRIPT))
    vendor = {"RKCHAT_RUNTIME": str(SCRIPTED), "RKCHAT_ABI": "1.3.0"}
    for name in ("chat", "cancel"):
        program = build(ROOT / "examples" / "c" / f"{name}.c")
        found.append((f"valgrind, {name}, scripted runtime", [*VALGRIND, program, script], vendor))
        if name == "chat":
            question = [program, MODEL, "Hi", "--greedy", "--max-new-tokens", "4"]
            found.append(("valgrind, chat, SmolLM2", [*VALGRIND, *question], {}))
    return found


def main() -> None:
    BUILT.mkdir(parents=True, exist_ok=True)
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
            # A forked child reports to stderr only; its test would still pass.
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
