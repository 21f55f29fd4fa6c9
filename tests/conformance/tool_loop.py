"""The example `tools` in every language: the model asks for a tool, the program runs it, the model goes on.

The model is a script, for a small one does not get this right. `make build` comes first.
"""

import json
import sys
import tempfile
from pathlib import Path

from exactness import RELEASE, ROOT, output

PROGRAMS = {
    "rust": [RELEASE / "tools"],
    "c": [ROOT / "target" / "native" / "examples" / "c" / "tools"],
    "cpp": [ROOT / "target" / "native" / "examples" / "cpp" / "tools"],
    "python": [sys.executable, ROOT / "examples" / "python" / "tools.py"],
    "node": ["node", ROOT / "examples" / "node" / "tools.mjs"],
}
# It is given text, so that what it was given can be read.
GROUP = "1.1.0"

PROMPT = 'How warm is it in Oslo, and in "Rome"?'
TEMPLATE = """
{%- if tools %}{{ tools[0].function.name }}{% endif %}
{%- for m in messages %}<{{ m.role }}>{{ m.content }}
{%- for call in m.tool_calls %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}
{%- endfor %}<bot>"""


def call(name: str, **arguments: str) -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


# Two calls in an answer, then one of a tool that is not there, then the answer.
ANSWERS = [
    "I look." + call("get_temperature", city="Oslo") + call("get_temperature", city="Rome"),
    call("forecast"),
    "4 and 19 degrees.",
]
RESULTS = [["4 degrees", "19 degrees"], ["there is no such tool"]]
PRINTED = """I look.
[get_temperature: 4 degrees]
[get_temperature: 19 degrees]

[forecast: there is no such tool]
4 and 19 degrees.
"""


def prompts() -> list:
    """What the model is to be given for each answer."""
    given = [f"get_temperature<system>You are a helpful assistant.<user>{PROMPT}"]
    for answer, results in zip(ANSWERS, RESULTS):
        given.append(f"{given[-1]}<assistant>{answer}" + "".join(f"<tool>{result}" for result in results))
    return [f"{prompt}<bot>" for prompt in given]


def main() -> None:
    passed = failed = 0
    for language, program in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder)
            # Cut where it hurts most.
            first, last = ([list(answer) for answer in part] for part in (ANSWERS[:-1], ANSWERS[-1:]))
            script = {"first": first, "pieces": last[0], "record": "record.jsonl"}
            (model / "model.rkllm").write_text(json.dumps(script))
            (model / "chat_template.jinja").write_text(TEMPLATE)
            runtime = RELEASE / "runtime" / "scripted" / GROUP / "librkllmrt.so"
            environment = {"RKCHAT_RUNTIME": str(runtime), "RKCHAT_ABI": GROUP}
            printed = output([*program, model, PROMPT], **environment)
            record = model / "record.jsonl"
            lines = map(json.loads, record.read_text().splitlines() if record.exists() else [])
            given = [line["input"] for line in lines if line["call"] == "run"]
        if (printed, given) == (PRINTED, prompts()):
            passed += 1
            print(f"ok      tools, {language}", flush=True)
        else:
            failed += 1
            print(f"FAILED  tools, {language}: {printed!r}\n  given {given}\n  not   {prompts()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
