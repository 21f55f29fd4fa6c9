"""A conversation keeps what was said, goes on with it, and gives it away as native objects."""

import json

import pytest

import rkchat
from conftest import scripted_runtime, write_script

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"


def said(role, content):
    return {"role": role, "content": content}


@pytest.fixture
def model(tmp_path):
    """A model that takes text, says `yes`, and writes down what it was given."""
    path = write_script(tmp_path / "model", pieces=["y", "es"], record="record.jsonl")
    runtime = scripted_runtime("1.1.0")
    with rkchat.Model.open(path, runtime=runtime, abi="1.1.0", chat_template=TEMPLATE) as model:
        model_prompts = tmp_path / "model" / "record.jsonl"
        yield model, lambda: [run["input"] for run in map(json.loads, model_prompts.open()) if run["call"] == "run"]


def test_what_was_said_is_sent_again(model):
    model, prompts = model
    chat = rkchat.Chat.open(model, system="be")
    assert "".join(chunk.text for chunk in chat.send("a?")) == "yes"
    assert chat.send_message(said("user", "b?"), max_new_tokens=9).completion().text == "yes"
    assert prompts() == ["<system>be<user>a?<bot>", "<system>be<user>a?<assistant>yes<user>b?<bot>"]
    history = [said("system", "be")]
    for question in ("a?", "b?"):
        history += [said("user", question), said("assistant", "yes")]
    assert chat.messages() == history

    chat.regenerate().completion()
    assert chat.messages() == history and prompts()[1] == prompts()[2]
    state = json.loads(json.dumps(chat.to_json()))
    back = rkchat.Chat.from_json(model, state)
    assert back.messages() == history

    branch = chat.branch()
    branch.edit(3, said("user", "other?"))
    assert branch.messages() == [*history[:3], said("user", "other?")]
    assert chat.messages() == history
    chat.reset()
    assert chat.messages() == history[:1]


def test_a_chat_answers_one_at_a_time_and_takes_back(tmp_path):
    path = write_script(tmp_path / "model", pieces=["a "], repeat=0, delay_ms=20)
    runtime = scripted_runtime("1.1.0")
    with rkchat.Model.open(path, runtime=runtime, abi="1.1.0", chat_template=TEMPLATE) as model:
        chat = rkchat.Chat.open(model, overflow="error", reserve=100)
        generation = chat.send("a?")
        with pytest.raises(rkchat.Busy, match="still coming"):
            chat.send("b?")
        generation.cancel()
        assert len(chat.messages()) in (0, 2)
        with pytest.raises(rkchat.InvalidArgument):
            chat.edit(7, said("user", "?"))
        with pytest.raises(rkchat.InvalidArgument):
            rkchat.Chat.from_json(model, {"messages": []})
