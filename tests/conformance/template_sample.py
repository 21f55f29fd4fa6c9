"""Writes a sample of the cases of ../shared/templates, for the tests of C, Python and Node.

Rust tries all cases; the other languages try these, each through its own API. The sample is a file of
fields that each end with a NUL, so that C reads it too: of each case those of FIELDS, in that order.

Usage: template_sample.py FILE
"""

import json
import sys
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "templates"
SIZE = 500
# What is empty in the sample is unset.
FIELDS = [
    "name",
    "source",
    "special_tokens",
    "messages",
    "tools",
    "documents",
    "variables",
    "add_generation_prompt",  # 0 or 1
    "continue_final_message",  # 0 or 1
    "expects",  # output, raise_exception, or error: any other
    "text",  # The output, or what raise_exception is given.
]


def read(name: str) -> list:
    """Lines end at line feeds only: the texts have other line ends in them."""
    with (REFERENCE / name).open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def as_json(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def sample() -> list:
    """The cases' fields. The cases go by templates, each with all conversations: the step makes that nearly
    every template is among them, and all conversations are so equally often."""
    cases = read("cases.jsonl")
    templates = {template["id"]: template for template in read("templates.jsonl")}
    conversations = {conversation["id"]: conversation for conversation in read("conversations.jsonl")}
    return [
        fields(case, templates[case["t"]], conversations[case["c"]])
        for case in cases[:: len(cases) // SIZE][:SIZE]
    ]


def fields(case: dict, template: dict, conversation: dict) -> list:
    variables = dict(case["kwargs"])
    add_generation_prompt, continue_final_message = (
        str(int(variables.pop(name, conversation[name])))
        for name in ("add_generation_prompt", "continue_final_message")
    )
    error = case.get("error")
    if error is None:
        expects, text = "output", case["expected"]
    elif error["kind"] == "raise_exception":
        expects, text = "raise_exception", error["message"]
    else:
        expects, text = "error", ""
    return [
        f"{case['t']} {case['c']}",
        (REFERENCE / "templates" / f"{case['t']}.jinja").read_bytes().decode(),
        as_json(template["special_tokens"]),
        as_json(conversation["messages"]),
        as_json(conversation["tools"]),
        as_json(conversation["documents"]),
        as_json(variables),
        add_generation_prompt,
        continue_final_message,
        expects,
        text,
    ]


def main() -> None:
    path = Path(sys.argv[1])
    if not (REFERENCE / "cases.jsonl").is_file():
        path.unlink(missing_ok=True)
        print(f"SKIPPED: no reference templates at {REFERENCE}")
        return
    written = [field for case in sample() for field in case]
    if any("\0" in field for field in written):
        sys.exit("a field has a NUL of its own, which the sample cannot hold")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{field}\0" for field in written).encode())


if __name__ == "__main__":
    main()
