"""A sample of the cases of ../shared/templates, as tests/conformance/template_sample.py writes it."""

import json
from collections import Counter

import pytest

import rkchat
from conftest import ROOT

SAMPLE = ROOT / "target" / "template-sample"
# When the reference was rendered.
NOW = "2026-03-07T08:05:09.012345"
FIELDS = 11


def given(field):
    return json.loads(field) if field else None


def outcome(
    source, special_tokens, messages, tools, documents, variables, add_generation_prompt, continue_final_message
):
    """Whether there is an output, and it or the words of the template's own error."""
    try:
        template = rkchat.ChatTemplate.from_source(source, special_tokens=given(special_tokens))
        output = template.render(
            given(messages),
            tools=given(tools),
            documents=given(documents),
            variables=given(variables),
            add_generation_prompt=add_generation_prompt == "1",
            continue_final_message=continue_final_message == "1",
            now=NOW,
        )
    except rkchat.RkchatError as error:
        return False, error.details.get("template_message")
    return True, output


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"no {SAMPLE}: `make template-sample` needs ../shared/templates")
def test_renders_as_transformers(capsys):
    fields = SAMPLE.read_bytes().decode().split("\0")[:-1]
    cases = [fields[start : start + FIELDS] for start in range(0, len(fields), FIELDS)]
    every, wrong = Counter(), {}
    for name, *case, expects, text in cases:
        every[expects] += 1
        is_output, found = outcome(*case)
        if is_output != (expects == "output") or (expects != "error" and found != text):
            wrong[name] = expects, text, found
    good = every - Counter(expects for expects, _, _ in wrong.values())
    words = {"output": "outputs", "raise_exception": "raise_exception", "error": "other errors"}
    with capsys.disabled():
        print("\ntemplates:", ", ".join(f"{good[kind]}/{every[kind]} {word}" for kind, word in words.items()))
    assert not wrong
    assert len(cases) == 500 and min(every[kind] for kind in words) > 20
