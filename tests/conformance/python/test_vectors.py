"""The answers and requests that all languages share, over the scripted runtime.

`tests/run.py` checks that every language ran every line.
"""

import pytest

import rkchat
from conftest import RAN, ROOT, scripted_runtime, vectors, write_script

def answer(generation):
    """What it said, which is what was streamed."""
    streamed = {kind: "" for kind in rkchat.ChunkKind}
    for chunk in generation:
        streamed[chunk.kind] += chunk.text
    completion = generation.completion()
    assert streamed[rkchat.ChunkKind.TEXT] == completion.text
    assert streamed[rkchat.ChunkKind.REASONING] == (completion.reasoning or "")
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "tool_calls": [{"name": call.name, "arguments": call.arguments} for call in completion.tool_calls],
        "message": completion.message,
        "token_ids": list(completion.token_ids),
        "finish_reason": str(completion.finish_reason),
        "prompt_tokens": completion.usage.prompt_tokens,
        "new_tokens": completion.usage.new_tokens,
        "counted_by": str(completion.usage.counted_by),
        "warnings": [str(warning.kind) for warning in completion.warnings],
    }


def run(case, group, folder):
    options = dict(case["open"])
    if "tokenizer" in options:
        options["tokenizer"] = ROOT / options["tokenizer"]
    path = write_script(folder, **case["script"])
    with rkchat.Model.open(path, runtime=scripted_runtime(group), abi=group, **options) as model:
        if "messages" in case:
            return answer(model.generate(case["messages"], **case["options"]))
        return answer(model.complete(case["ids"], **case["options"]))


@pytest.mark.parametrize("case", vectors("requests.jsonl"), ids=lambda case: case["id"])
def test_requests(case, tmp_path):
    for group in case["groups"]:
        if "error" in case:
            with pytest.raises(rkchat.RkchatError) as failed:
                run(case, group, tmp_path)
            assert failed.value.kind == case["error"]["kind"]
            assert case["error"]["says"] in failed.value.message
        else:
            found = run(case, group, tmp_path)
            assert {name: found[name] for name in case["expected"]} == case["expected"], group
    RAN["requests.jsonl"].add(case["id"])


@pytest.mark.parametrize("case", vectors("answers.jsonl"), ids=lambda case: case["name"])
def test_answers(case, tmp_path):
    text, expected = case["text"], case["expected"]
    options = {"untrusted_content": "transformers"}
    options |= {ours: case[name] for name, ours in (("tools", "tools"), ("format", "tool_format")) if name in case}
    # The template tells the format; the prompt is what a case says it is.
    template = "{% if false %}" + case.get("template", "") + "{% endif %}{{ messages[-1].content }}"
    request = {
        "script": {"pieces": [text[start : start + 3] for start in range(0, len(text), 3)]},
        "open": {"chat_template": template},
        "messages": [{"role": "user", "content": case.get("prompt", "?")}],
        "options": options,
    }
    found = run(request, "1.1.0", tmp_path)
    for name in ("text", "tool_calls"):
        assert found[name] == expected[name]
    assert (found["reasoning"] or "") == expected["reasoning"]
    assert found["warnings"] == ["broken_tool_call"] * expected.get("broken", 0)
    RAN["answers.jsonl"].add(case["name"])
