"""What the tests share. `make build` comes first: nothing is skipped for want of it."""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

import rkchat

ROOT = Path(__file__).resolve().parents[3]
RUNTIMES = ROOT / "target" / "release" / "runtime"
SMOLLM2 = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
TURNS = ROOT / "tests" / "fixtures" / "turns.jinja"
GROUPS = ["1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"]
# Those that take and give token ids; the others know text alone.
TOKEN_GROUPS = GROUPS[2:]
QUESTION = [{"role": "user", "content": "one two three"}]
# Which lines of the shared vectors were run, by their file.
RAN = defaultdict(set)


def vectors(name):
    """The lines of a file that all languages share."""
    with open(ROOT / "tests" / "vectors" / name, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def pytest_terminal_summary(terminalreporter):
    # What tests/run.py compares with the files.
    for name, lines in RAN.items():
        terminalreporter.write_line(f"vectors {name}: {len(lines)}")


VOCABULARY = ["<unk>", "<bos>", "<end_of_turn>", "one", "two", "three", "four"]


def tokenizer() -> dict:
    """A `tokenizer.json` that knows a few words, and puts `<bos>` before a text."""
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    begin = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": id, "content": VOCABULARY[id], **special} for id in (0, 1, 2)],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, text],
            "pair": [begin, text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [1], "tokens": ["<bos>"]}},
        },
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: id for id, word in enumerate(VOCABULARY)},
            "unk_token": "<unk>",
        },
    }


@pytest.fixture
def tokenizer_path(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(tokenizer()))
    return path


@pytest.fixture
def template():
    return rkchat.ChatTemplate.from_source(TURNS.read_text(), bos_token="<bos>")


def scripted_runtime(group):
    return RUNTIMES / "scripted" / group / "librkllmrt.so"


def write_script(folder, **script):
    """A model of the scripted runtime, which plays what the file says."""
    folder.mkdir(exist_ok=True)
    path = folder / "model.rkllm"
    path.write_text(json.dumps(script))
    return path


@pytest.fixture(params=["1.1.0", "1.3.0"])
def group(request):
    """Two groups stand for all; a test to which the group matters has parameters of its own."""
    return request.param


@pytest.fixture
def play(tmp_path, group):
    """Opens a model that plays a script: `play(pieces=["a"], repeat=3)`."""
    opened = []

    def play(options=None, **script):
        path = write_script(tmp_path / f"model{len(opened)}", **script)
        options = {"chat_template": "{{ messages[-1].content }}", **(options or {})}
        model = rkchat.Model.open(path, runtime=scripted_runtime(group), abi=group, **options)
        opened.append(model)
        return model

    yield play
    for model in opened:
        model.close()


def runtime_of(release, group, folder):
    """A library that says it is of this release: a scripted one with the text of a version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "librkllmrt.so"
    path.write_bytes(scripted_runtime(group).read_bytes() + b"\0" + release.encode() + b"\0")
    return path


@pytest.fixture
def places(tmp_path):
    """Where runtimes are kept and looked for, of this test's own: `store`, `library` and `environment`."""
    data, library = tmp_path / "data", tmp_path / "library"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RKCHAT_")}
    # A server of the test is reached directly.
    environment = {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}
    environment |= {"XDG_DATA_HOME": str(data), "LD_LIBRARY_PATH": str(library)}
    return SimpleNamespace(store=data / "rkchat" / "runtimes", library=library, environment=environment)


@pytest.fixture
def child(tmp_path):
    """Runs a Python program in a process of its own; it finds `path`, a model of the scripted
    runtime without an end, and `options` to open it."""

    def child(program, *, code=0, wait=True, environment=None, **script):
        script = {"pieces": ["word "], "repeat": 0, "delay_ms": 5, **script}
        path = write_script(tmp_path / "model", **script)
        options = {"runtime": str(scripted_runtime("1.3.0")), "abi": "1.3.0", "chat_template": "x"}
        head = f"import rkchat\npath = {str(path)!r}\noptions = {options!r}\n"
        head += f"question = {QUESTION!r}\n"
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", head + program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            # A shell's background job ignores it, and so would what it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        if not wait:
            return process
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            pytest.fail(f"the child hung\n{output}\n{errors}")
        assert process.returncode == code, f"status {process.returncode}\n{output}\n{errors}"
        return output

    return child
