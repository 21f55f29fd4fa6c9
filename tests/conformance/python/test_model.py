"""A real model on the CPU runtime."""

import pytest

import rkchat
from conftest import GROUPS, RUNTIMES, SMOLLM2

# With the system message that the template has by itself, the model greedily answers in French.
QUESTION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France?"},
]
ANSWER = "The capital of France is Paris."


def open_in(group, **options):
    options = {"max_context_len": 512, "top_k": 1, "repeat_penalty": 1.0, **options}
    return rkchat.Model.open(SMOLLM2, runtime=RUNTIMES / group / "librkllmrt.so", **options)


@pytest.fixture(scope="module", params=["1.1.0", "1.3.0"])
def model(request):
    with open_in(request.param) as model:
        yield model


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_gives_the_same_answer(group):
    with open_in(group, max_context_len=64) as model:
        info = model.info()
        assert (info.runtime.name, info.runtime.abi_group) == ("rkchat-cpu", group)
        completion = model.generate(QUESTION, max_new_tokens=16).completion()
        assert (completion.text, completion.finish_reason) == (ANSWER, "stop")
        if group in ("1.0.0", "1.0.1"):
            assert (info.input, completion.token_ids) == ("text", ())
        else:
            assert info.input == "tokens" and model.decode(completion.token_ids) == ANSWER


def test_it_answers(model):
    generation = model.generate(QUESTION, max_new_tokens=24)
    text = "".join(chunk.text for chunk in generation)
    completion = generation.completion()
    assert text == completion.text == ANSWER
    assert completion.finish_reason == "stop" and completion.warnings == ()
    prompt = model.encode(model.render(QUESTION, add_generation_prompt=True), add_special_tokens=False)
    assert completion.usage.prompt_tokens == len(prompt) > 20
    assert model.decode(completion.token_ids) == text


def test_info(model):
    info = model.info()
    assert info.path == SMOLLM2 and info.max_context_len == 512
    assert (info.input, info.template_source, info.tokenizer_source) == ("tokens", "gguf", "runtime")
    assert model.encode("<|im_end|>", add_special_tokens=False) == list(info.stop_ids)


def test_text_and_ids(model):
    text = "One, two, three,"
    ids = model.encode(text)
    assert model.decode(ids) == text
    answers = [model.complete(prompt, max_new_tokens=6).completion() for prompt in (text, ids)]
    assert answers[0].text == answers[1].text and "four" in answers[0].text
    assert answers[0].finish_reason == "length"


def test_cancel_and_go_on(model):
    with model.generate([{"role": "user", "content": "Count to one hundred."}]) as generation:
        next(generation)
    assert generation.completion().finish_reason == "cancelled"
    assert model.generate(QUESTION, max_new_tokens=4).completion().usage.new_tokens == 4


def test_characters_of_several_tokens(model):
    text = "Say: 🌞東京é"
    ids = model.encode(text)
    assert len(ids) > len(text) and model.decode(ids) == text


def test_a_prompt_longer_than_the_context(model):
    with pytest.raises(rkchat.ContextOverflow) as caught:
        model.complete("word " * 600)
    assert caught.value.details["max_context_len"] == 512
    assert caught.value.details["prompt_tokens"] >= 600


def test_a_context_larger_than_the_models():
    with pytest.raises(rkchat.RkchatError, match="65536") as caught:
        rkchat.Model.open(SMOLLM2, max_context_len=65536, runtime=RUNTIMES / "1.3.0" / "librkllmrt.so")
    assert caught.value.kind in ("runtime_failed", "invalid_argument")
