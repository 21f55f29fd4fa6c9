"""The tests that need no llama.cpp, built for 64-bit and 32-bit Arm and run under qemu's user emulation:
the layouts, the scripted runtimes, and what the core makes of them.

The compilers and qemu come from ../shared/cross/setup.sh, beside the checkout. Where it cannot bring
them, the line `NOT RUN: why` says so. The last line is `N passed, N failed` over all architectures.

Usage: run.py [--short] [arm64] [armhf]      both, unless told
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Before this folder, whose run.py is another.
sys.path.insert(0, str(ROOT / "tests"))
from run import Counts, cargo, closing_line  # noqa: E402

ARCHITECTURES = ["arm64", "armhf"]
SETUP = ROOT.parent / "shared" / "cross" / "setup.sh"
GROUPS = ["1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"]

# Built for each architecture; the C interface only for the asserts on its layouts.
TESTED = ["rkchat", "rkchat-runtime-front", "rkchat-scripted"]
BUILT = [*TESTED, "rkchat-ffi", *(f"rkchat-scripted-v{group.replace('.', '-')}" for group in GROUPS)]

# All test programs of these crates but those that load the CPU runtime.
PROGRAMS = [
    *["abi_layout", "answers", "bare_model", "capture", "chat", "chat_cache", "chat_template", "engine", "folders", "get"],
    *["hub", "lifecycle", "loaded", "matrix", "numbers", "probe", "probe_host", "quirks", "recognise", "requests"],
    *["templates", "tokens"],
    *(f"v{group.replace('.', '_')}" for group in GROUPS),
]
# Tests in them that are left out, by what their names contain.
LEFT_OUT = [
    # These load it, too.
    "cpu_runtime",
    "real_model",
    "tests::reuse",
    # qemu 7.2 ends a forked child of a process with threads as soon as the child starts one of its own.
    "a_child_may_free_what_it_inherited_and_use_threads_of_its_own",
    # qemu's clone does not share memory with a child, through which glibc says that a program is not there.
    "only_the_worker_of_this_release_is_believed",
    # The kernel cannot start this copy of a test program.
    "loads_nothing_from_where_it_is_called",
    # Its seconds are those of a processor, not of an emulator.
    "hostile_templates_are_stopped",
]
# What takes longest and has least to do with the processor: text in, text out, in large amounts.
LONG_PROGRAMS = {"chat_template", "templates"}
LONG_TESTS = ["answer::tests", "gemma_encodes_its_prompt", "literal_tests", "real_tokenizers_are_told_apart"]


def set_up(arch: str) -> dict:
    """Brings the tools; gives the environment in which cargo builds for the architecture."""
    home = Path(os.environ.get("CROSS_HOME", Path.home() / ".cache" / "rkchat-cross"))
    environment = {**os.environ, "ARCH": arch, "CROSS_HOME": str(home)}
    done = subprocess.run(
        [SETUP, "rust", "cc", "qemu"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        last = done.stdout.strip().rpartition("\n")[2]
        raise OSError(f"{SETUP} ended with status {done.returncode}: {last or 'it said nothing'}")
    read = ["bash", "-c", '. "$1" && env -0', "bash", home / f"env-{arch}.sh"]
    variables = subprocess.run(read, env=environment, stdout=subprocess.PIPE, check=True).stdout
    found = dict(line.split("=", 1) for line in os.fsdecode(variables).split("\0") if line)
    target = ROOT / "target" / "cross" / arch
    found["CARGO_TARGET_DIR"] = str(target)
    # Most of the time goes into compiling. Stripped, because recognising a library reads all of it.
    profile = {"OPT_LEVEL": "0", "DEBUG": "0", "STRIP": "symbols"}
    found.update({f"CARGO_PROFILE_RELEASE_{name}": value for name, value in profile.items()})
    # The compiler lies behind a script for sh, and Debian's sh loses what cargo hands over in variables
    # with a hyphen in their names (CARGO_BIN_EXE_rkchat-worker); bash does not.
    target.mkdir(parents=True, exist_ok=True)
    compiler = Path(found["RUSTC"]).read_text().partition("\n")[2]
    found["RUSTC"] = str(script(target / "rustc", compiler, shell="/bin/bash"))
    return found


def script(path: Path, text: str, shell: str = "/bin/sh") -> Path:
    path.write_text(f"#!{shell}\n{text}\n")
    path.chmod(0o755)
    return path


def emulate(environment: dict, release: Path) -> None:
    """Has cargo run test programs under qemu. The kernel starts what they start, and it knows only
    programs of this machine: the worker gets a script that starts it under qemu, and `cc` is the
    compiler for the architecture."""
    target = environment["CROSS_TARGET"].replace("-", "_")
    emulator = environment["CROSS_RUN"]
    folder = release / "emulated"
    (folder / "path").mkdir(parents=True, exist_ok=True)
    compiler = shutil.which(environment[f"CC_{target}"])
    script(folder / "path" / "cc", f'exec "{compiler}" "$@"')
    worker = script(folder / "rkchat-worker", f'exec "{emulator}" "{release}/rkchat-worker" "$@"')
    # Only around the tests: build scripts want this machine's cc.
    runner = script(
        folder / "run",
        f'export PATH="{folder}/path:$PATH" RKCHAT_WORKER="{worker}" RKCHAT_TEST_RUNNER="{emulator}"\n'
        f'exec "{emulator}" "$@"',
    )
    environment[f"CARGO_TARGET_{target.upper()}_RUNNER"] = str(runner)


def headers(environment: dict) -> Counts:
    """The C headers, with the architecture's own C compiler."""
    compiler = environment[f"CC_{environment['CROSS_TARGET'].replace('-', '_')}"]
    command = ["make", "--silent", "--no-print-directory", "--file", "tests/conformance/native.mk"]
    done = subprocess.run(
        [*command, "c-headers", f"CC={compiler}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    counts = closing_line(done.stdout)
    if done.returncode != 0:
        counts.failed = max(counts.failed, 1)
        print(done.stdout.replace("\n", "\n  "))
    print(f"headers with {compiler}: {counts.passed} ok, {counts.failed} not", flush=True)
    return counts


def tests(environment: dict, short: bool) -> Counts:
    """Builds the crates and runs their tests."""
    target = environment["CROSS_TARGET"]
    release = Path(environment["CARGO_TARGET_DIR"]) / target / "release"
    common = ["--release", "--locked", "--target", target]
    programs = [f"--test={name}" for name in PROGRAMS if not (short and name in LONG_PROGRAMS)]
    packages = [f"--package={name}" for name in BUILT]
    # With the test programs, so that the crates have the features that they will have in the tests, and
    # are not built again.
    build = ["cargo", "build", *common, *packages, "--lib", *programs]
    subprocess.run(build, cwd=ROOT, env=environment, check=True)
    layout = ["runtime/install.sh", release, release / "runtime", "scripted"]
    subprocess.run(layout, cwd=ROOT, check=True)

    emulate(environment, release)
    packages = [f"--package={name}" for name in TESTED]
    left_out = LEFT_OUT + (LONG_TESTS if short else [])
    skip = [word for name in left_out for word in ("--skip", name)]
    command = ["cargo", "test", *common, "--no-fail-fast", *packages, "--lib", *programs, "--", *skip]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = bytearray()
    for line in process.stdout:
        output += line
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
    counts = cargo(output.decode("utf-8", "replace"))
    if process.wait() != 0 or counts.passed == 0:
        counts.failed = max(counts.failed, 1)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs tests for Arm under qemu.")
    parser.add_argument("--short", action="store_true", help="without the tests that take longest")
    parser.add_argument("architecture", nargs="*", help="arm64 or armhf; both, unless told")
    arguments = parser.parse_args()
    unknown = set(arguments.architecture) - set(ARCHITECTURES)
    if unknown:
        parser.error(f"no architecture is called {', '.join(sorted(unknown))}")
    total = Counts()
    for arch in arguments.architecture or ARCHITECTURES:
        print(f"--- {arch}", flush=True)
        try:
            environment = set_up(arch)
        except OSError as error:
            print(f"NOT RUN: {arch}: {error}", flush=True)
            continue
        for part in (headers, lambda environment: tests(environment, arguments.short)):
            try:
                counts = part(environment)
            except subprocess.CalledProcessError as error:
                print(f"FAILED  {error}", flush=True)
                counts = Counts(failed=1)
            total.passed += counts.passed
            total.failed += counts.failed
    print(f"{total.passed} passed, {total.failed} failed")
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
