"""The process around it: fork, signals, the end of the interpreter."""

import signal
import time

import pytest

import rkchat


def test_fork(child):
    output = child("""
import os, sys
model = rkchat.Model.open(path, **options)
generation = model.generate(question)
next(generation)
pid = os.fork()
if pid == 0:
    kinds = []
    for use in (lambda: model.generate(question), lambda: next(generation), generation.completion, model.close):
        try:
            use()
        except RuntimeError as error:
            kinds.append(str(error.kind))
    with rkchat.Model.open(path, **options) as own:
        answer = own.generate(question, max_new_tokens=2).completion()
    print(kinds, answer.text, flush=True)
    sys.exit(7)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(status, next(generation).text)
""")
    assert output == f"{['forked'] * 4} word word \n7 word \n"


@pytest.mark.parametrize(
    "wait, script",
    [
        ("next(generation)", {"prefill_ms": 30000}),
        ("[chunk for chunk in generation]", {}),
        ("generation.next(timeout=30)", {"prefill_ms": 30000}),
        ("generation.wait()", {}),
        ("generation.completion()", {}),
        ("generation.text", {}),
        ("rkchat.Model.open(slow, **options)", {}),
        ("asyncio.run(collect())", {}),
        ("asyncio.run(answer())", {}),
    ],
)
def test_ctrl_c(child, wait, script, tmp_path):
    slow = tmp_path / "slow.rkllm"
    slow.write_text('{"init_ms": 3000}')
    process = child(
        f"""
import asyncio, time
slow = {str(slow)!r}
model = rkchat.Model.open(path, **options)
generation = model.generate(question)
async def collect():
    return [chunk async for chunk in generation]
async def answer():
    return await generation
print("waiting", flush=True)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
generation.cancel()
print(generation.completion().finish_reason)
""",
        wait=False,
        **script,
    )
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.stdout.readline() == "interrupted\n"
    assert time.monotonic() - began < 2
    # Read by line as well: what is left in the reader's buffer is not there for `communicate`.
    assert process.stdout.readline() == "cancelled\n"
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors


RUNNING = "model = rkchat.Model.open(path, **options)\ngeneration = model.generate(question)\nnext(generation)\n"


@pytest.mark.parametrize(
    "end",
    [
        "",
        "import sys; sys.exit(0)",
        "del model",
        "del generation",
        "cycle = [model, generation]; cycle.append(cycle)",
        "import builtins; builtins.kept = (model, generation)",
        "import threading; threading.Thread(target=generation.completion, daemon=True).start()",
        "import threading; threading.Thread(target=lambda: list(generation), daemon=True).start()",
        "import threading; threading.Thread(target=model.close).start()",
    ],
)
def test_the_end_while_an_answer_is_on_its_way(child, end):
    began = time.monotonic()
    child(RUNNING + end)
    assert time.monotonic() - began < 15


def test_the_end_after_a_failure(child):
    child(RUNNING + "raise ValueError('of the program')", code=1)


def test_nothing_is_printed_to_stdout(child):
    assert child(RUNNING) == ""


def test_objects_that_go_are_freed(child):
    output = child("""
import gc, os, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def round():
    with rkchat.Model.open(path, **options) as model:
        for _ in range(20):
            with model.generate(question) as generation:
                next(generation)
        try:
            model.generate(question, max_new_tokens=0)
        except rkchat.InvalidArgument:
            pass
for _ in range(5):
    round()
gc.collect()
before, threads, files = resident(), len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))
for _ in range(30):
    round()
gc.collect()
time.sleep(0.3)  # Threads are listed a moment longer than they run.
print(resident() - before < 8 << 20, len(os.listdir("/proc/self/task")) <= threads, len(os.listdir("/proc/self/fd")) == files)
""", delay_ms=0)
    assert output == "True True True\n"


def test_a_panic_is_an_exception():
    with pytest.raises(rkchat.Panic, match="provoked by a test") as caught:
        rkchat._native._panic()
    assert isinstance(caught.value, RuntimeError) and caught.value.kind == "panic"


def test_the_end_with_a_runtime_that_does_not_let_go(child):
    child(RUNNING, deaf=True)
