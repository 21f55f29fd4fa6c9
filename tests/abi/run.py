"""Programs as written for Rockchip's library, in C, C++, Python and Node, over the CPU runtime of each ABI group.

The declarations they are compiled with are written here from what a compiler made of the vendor's headers
(../shared/vendor/v<group>.json), not from our own layouts. `make build` comes first.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import c_header
import facts
import node_module
import python_module

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RUNTIME = ROOT / "target" / "release" / "runtime"
BUILT = ROOT / "target" / "abi"
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
VENDOR = ROOT.parent / "shared" / "vendor"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# Generous: a busy machine computes slowly.
SECONDS = 300


class Failed(Exception):
    """What a program did not do, with its output."""


def run(command: list, **more) -> str:
    """The standard output of a program that succeeds."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, **more)
    stdout, stderr = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if done.returncode != 0:
        raise Failed(f"{command[0]}: exit status {done.returncode}\n{stdout}{stderr}")
    return stdout


def compiled(compiler: str, source: str, group: str, folder: Path) -> Path:
    program = folder / Path(source).suffix[1:]
    library = RUNTIME / group
    run([
        *compiler.split(), HERE / source, "-o", program, f"-DRKLLM_VERSION={facts.GROUPS[group]}",
        *WARNINGS, "-O1", "-g", "-pthread", f"-I{folder}",
        f"-L{library}", "-lrkllmrt", f"-Wl,-rpath,{library}",
    ])  # fmt: skip
    return program


def values(output: str) -> dict[str, str]:
    """The lines `name: value` of a program."""
    return dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)


def check_answers(output: str) -> str:
    """The answer, after a look at the rest."""
    found = values(output)
    answer = found["answer"]
    if "Paris" not in answer:
        raise Failed(f"no sensible answer: {output}")
    for name in ("background", "afterwards"):
        if found.get(name, answer) != answer:
            raise Failed(f"{name} differs: {output}")
    if not 5 <= int(found.get("aborted", 5)) < 100:
        raise Failed(f"the abort came late or early: {output}")
    return answer


def c(group: str, folder: Path) -> str:
    return check_answers(run([compiled("cc -std=c11 -D_DEFAULT_SOURCE", "demo.c", group, folder), MODEL]))


def cpp(group: str, folder: Path) -> None:
    program = compiled("c++ -std=c++11", "demo.cpp", group, folder)
    with tempfile.TemporaryDirectory() as scratch:
        output = run([program, MODEL, scratch])
    if output != "done\n":
        raise Failed(f"unexpected output, where nothing but the program writes: {output}")


def python(group: str, folder: Path) -> str:
    command = [sys.executable, HERE / "demo.py", RUNTIME / group / "librkllmrt.so"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return check_answers(run([*command, facts.GROUPS[group], MODEL], env=environment))


def node(group: str, folder: Path) -> str:
    command = ["node", HERE / "demo.mjs", folder / "rkllm.mjs", RUNTIME / group / "librkllmrt.so"]
    return check_answers(run([*command, facts.GROUPS[group], MODEL]))


def main() -> None:
    if not VENDOR.is_dir():
        print(f"NOT RUN: {VENDOR} is not here, so there are no declarations to compile with")
        print("0 passed, 0 failed")
        return
    passed = failed = 0
    answers = set()
    for group in facts.GROUPS:
        folder = BUILT / group
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        declared = facts.read(VENDOR / f"v{group}.json", platform.machine())
        (folder / "rkllm.h").write_text(c_header.header(declared))
        (folder / "rkllm.py").write_text(python_module.module(declared))
        (folder / "rkllm.mjs").write_text(node_module.module(declared))
        for program in (c, cpp, python, node):
            try:
                answer = program(group, folder)
                answers.update(filter(None, [answer]))
                if len(answers) > 1:
                    raise Failed(f"the answer differs: {sorted(answers)}")
            except (Failed, subprocess.TimeoutExpired) as failure:
                failed += 1
                print(f"FAILED  {group}, {program.__name__}: {failure}", flush=True)
            else:
                passed += 1
                print(f"ok      {group}, {program.__name__}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
