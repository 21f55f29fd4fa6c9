"""What older runtimes cannot, and what is taken for granted about them."""

import json

import pytest

import rkchat
from conftest import GROUPS, QUESTION, SMOLLM2, TOKEN_GROUPS, scripted_runtime, write_script

TEXT_GROUPS = [group for group in GROUPS if group not in TOKEN_GROUPS]
# Those whose releases hold one model in a process.
SINGLE_GROUPS = ["1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1"]
MANY = {"instances": "many"}


@pytest.mark.parametrize("group", TEXT_GROUPS)
def test_text_alone(play, tmp_path, tokenizer_path, group):
    record = tmp_path / "record"
    model = play({"tokenizer": tokenizer_path}, pieces=["three"], record=str(record))
    assert model.info().input == "text" and model.encode("one") == [1, 3]
    completion = model.generate(QUESTION).completion()
    assert (completion.text, completion.token_ids) == ("three", ())
    assert completion.usage.prompt_tokens == 3
    assert model.complete("one two").completion().text == "three"
    with pytest.raises(rkchat.Unsupported, match="take token ids; the first release that can is 1.1.0") as caught:
        model.complete([3, 4])
    assert caught.value.details == {"capability": "token_input", "since": "1.1.0"}
    runs = [json.loads(line) for line in record.read_text().splitlines()]
    texts = [run["input"] for run in runs if run["call"] == "run"]
    assert texts == ["one two three", "one two"]


@pytest.mark.parametrize("group", ["1.0.0"])
def test_cancel_without_abort(play):
    """The caller is free at once; the run goes on to its end, and the next request waits for that."""
    model = play(pieces=["word "], repeat=40, delay_ms=5)
    generation = model.generate(QUESTION)
    next(generation)
    generation.cancel()
    assert list(generation) == [] and generation.completion().finish_reason == "cancelled"
    assert model.generate(QUESTION, max_new_tokens=2).completion().finish_reason == "length"
    assert model.generate(QUESTION).completion().text == "word " * 40


@pytest.mark.parametrize("group", SINGLE_GROUPS)
def test_one_model_in_a_process(play, tmp_path, group):
    first = play(pieces=["a"])
    second = write_script(tmp_path / "second", pieces=["b"])
    options = {"runtime": scripted_runtime(group), "abi": group, "chat_template": "x"}
    # Also the second time: a refusal leaves the first model where it is.
    for _ in range(2):
        with pytest.raises(rkchat.Unsupported, match="first release that can is 1.2.2.*instances") as caught:
            rkchat.Model.open(second, **options)
        assert caught.value.details == {"capability": "several_models", "since": "1.2.2"}
    with rkchat.Model.open(second, **options, assume=MANY) as model:
        assert model.generate(QUESTION).completion().text == "b"
    first.close()
    with rkchat.Model.open(second, **options) as model:
        assert model.generate(QUESTION).completion().text == "b"


def test_several_models_in_a_process(tmp_path):
    paths = [write_script(tmp_path / name, pieces=[name]) for name in ("a", "b")]
    options = {"runtime": scripted_runtime("1.3.0"), "abi": "1.3.0", "chat_template": "x"}
    with rkchat.Model.open(paths[0], **options) as a, rkchat.Model.open(paths[1], **options) as b:
        assert [model.generate(QUESTION).completion().text for model in (a, b)] == ["a", "b"]


@pytest.mark.parametrize(
    "assume, message",
    [
        ({"bo": "keep"}, 'there is no "bo"; known are bos, input, text_source'),
        ({"bos": "maybe"}, 'bos is keep or strip, but got "maybe"'),
        ({"instances": True}, "instances is auto or many, but got true"),
        ([], "a JSON object is needed"),
    ],
)
def test_assume_that_is_wrong(play, assume, message):
    with pytest.raises(rkchat.InvalidArgument, match=message):
        play({"assume": assume}, pieces=["a"])


def test_assume(play, tmp_path, tokenizer_path):
    record = tmp_path / "record"
    assume = {"input": "text", "prefix_reuse": "off"}
    options = {"assume": assume, "tokenizer": tokenizer_path}
    model = play(options, pieces=["a"], record=str(record))
    assumed = model.info().assumed
    assert "input=text (option)" in assumed and "prefix_reuse=off (option)" in assumed
    assert "bos=keep (default)" in assumed and len(assumed) == 6
    model.generate(QUESTION).wait()
    model.close()
    calls = [json.loads(line) for line in record.read_text().splitlines()]
    assert [call["input_type"] for call in calls if call["call"] == "run"] == ["text"]


def test_the_abi_variable_is_not_for_the_cpu_runtime(child):
    output = child(f"""
import os
os.environ["RKCHAT_ABI"] = "1.1.0"
os.environ.pop("RKCHAT_RUNTIME", None)
with rkchat.Model.open({str(SMOLLM2)!r}, max_context_len=64) as model:
    print(model.info().runtime.abi_group)
try:
    rkchat.Model.open(path, runtime=options["runtime"])
except rkchat.RuntimeAmbiguous as error:
    print("abi says 1.1.0" in str(error))
""")
    assert output == "1.3.0\nTrue\n"
