"""Runs every code block of README.md and docs/: programs are compiled and run, commands are executed.

A block's language decides how it is run. What a block marked `text output` shows must be what the
program before it printed to stdout. Blocks of plain `text` are not run, nor are the two set-up
commands: `make build`, which comes first, is what they do. Programs run in the checkout's top folder.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target" / "release"
SETUP = {"make demo", "make test"}


@dataclass
class Block:
    file: Path
    line: int
    language: str
    code: str


def blocks(file: Path) -> list:
    """The fenced code blocks of a Markdown file."""
    found = []
    for match in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", file.read_text("utf-8"), re.M):
        line = match.string.count("\n", 0, match.start()) + 1
        found.append(Block(file, line, match[1].strip(), match[2]))
    return found


def commands(block: Block, folder: Path) -> list:
    """What to run for a block, the last command being the program itself."""

    def source(name: str) -> Path:
        path = folder / name
        path.write_text(block.code, "utf-8")
        return path

    # Here a program finds the CPU runtime one folder up, as it would in the folder of a user's build.
    program = RELEASE / "docs" / "program"
    program.parent.mkdir(exist_ok=True)
    native = ["-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", f"-L{RELEASE}"]
    native += [f"-Wl,-rpath,{RELEASE}", "-o", program]
    if block.language == "sh":
        return [["bash", "-eu", "-c", block.code]]
    if block.language == "python":
        return [[sys.executable, source("program.py")]]
    if block.language == "js":
        (folder / "node_modules").mkdir()
        (folder / "node_modules" / "rkchat").symlink_to(ROOT / "bindings" / "node")
        return [["node", source("program.mjs")]]
    if block.language == "c":
        return [["cc", "-std=c99", source("program.c"), *native, "-lrkchat"], [program]]
    if block.language == "cpp":
        return [["c++", "-std=c++11", source("program.cpp"), *native, "-lrkchat"], [program]]
    if block.language == "rust":
        libraries = [f"--extern={name}={rlib(name)}" for name in ("rkchat", "serde_json")]
        libraries += ["-L", f"dependency={RELEASE / 'deps'}"]
        return [["rustc", "--edition", "2024", source("program.rs"), *libraries, "-o", program], [program]]
    sys.exit(f"{where(block)}: no way to run a block of `{block.language}`")


def rlib(name: str) -> str:
    """The library that cargo built of a crate for rkchat: others of the same name may lie beside it."""
    for line in (RELEASE / "docs" / "artifacts.json").read_text("utf-8").splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == name:
            for file in message["filenames"]:
                if file.endswith(".rlib"):
                    return file
    sys.exit(f"cargo built no library of {name}")


def where(block: Block) -> str:
    return f"{block.file.relative_to(ROOT)}:{block.line}"


def run(block: Block) -> tuple:
    """Runs a block: its stdout, and what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        for command in commands(block, Path(folder)):
            done = subprocess.run(
                [str(part) for part in command],
                cwd=ROOT,
                # The programs find the CPU runtime beside the library, as a user's would.
                env={key: value for key, value in os.environ.items() if key != "RKCHAT_RUNTIME"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=600,
            )
            if done.returncode != 0:
                return "", f"{command[0]}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout, ""


def main() -> None:
    passed = failed = 0
    # The generated reference has signatures, no programs; it is compared by `make surface-check`.
    written = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "reference.md"]
    for file in [ROOT / "README.md", *written]:
        printed = ""
        for block in blocks(file):
            if block.language == "text" or block.code.strip() in SETUP:
                continue
            if block.language == "text output":
                wrong = "" if block.code == printed else f"the program printed:\n{printed}"
            else:
                printed, wrong = run(block)
            if wrong:
                failed += 1
                print(f"{where(block)}: FAILED ({block.language}): {wrong}")
            else:
                passed += 1
                print(f"{where(block)}: ok ({block.language})", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
