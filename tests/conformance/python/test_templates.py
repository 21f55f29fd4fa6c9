"""Chat templates and tokenizers, without a runtime."""

import datetime
import json

import pytest

import rkchat
from conftest import ROOT, TURNS

GEMMA_2 = ROOT.parent / "shared" / "templates" / "templates" / "ecd6ae513fe1.jinja"

HELLO = [{"role": "user", "content": "Write a hello world program"}]


def test_render(template):
    text = template.render(HELLO, add_generation_prompt=True)
    turn = "<start_of_turn>user\nWrite a hello world program<end_of_turn>\n"
    assert text == f"<bos>{turn}<start_of_turn>model\n"
    assert template.render(HELLO) == f"<bos>{turn}"
    assert template.source() == TURNS.read_text()


def test_a_refusal_carries_the_templates_words(template):
    with pytest.raises(rkchat.TemplateError, match="There is no system role") as caught:
        template.render([{"role": "system", "content": "Be brief."}])
    assert caught.value.details["template_message"] == "There is no system role"
    assert isinstance(caught.value, ValueError)


@pytest.mark.skipif(not GEMMA_2.exists(), reason=f"no reference templates at {GEMMA_2.parent}")
def test_gemma_2s_own_template():
    template = rkchat.ChatTemplate.from_source(GEMMA_2.read_text(), bos_token="<bos>")
    turn = "<start_of_turn>user\nWrite a hello world program<end_of_turn>\n"
    assert template.render(HELLO, add_generation_prompt=True) == f"<bos>{turn}<start_of_turn>model\n"
    with pytest.raises(rkchat.TemplateError, match="System role not supported"):
        template.render([{"role": "system", "content": "Be brief."}])


def test_open_from_files(tmp_path):
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    for path in (tmp_path, str(tmp_path), tmp_path / "chat_template.jinja"):
        assert rkchat.ChatTemplate.open(path).render([{"role": "user", "content": "hi"}]) == "hi!"
    with pytest.raises(rkchat.NotFound) as caught:
        rkchat.ChatTemplate.open(tmp_path / "missing")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(rkchat.TemplateError):
        rkchat.ChatTemplate.from_source("{% if %}")


def test_what_a_template_is_given():
    template = rkchat.ChatTemplate.from_source(
        "{{ strftime_now('%Y-%m-%d %H:%M') }} {{ tools | length }} {{ documents | length }} {{ mood }} {{ pad }}",
        special_tokens={"pad": "<pad>"},
    )
    more = {"tools": [{"name": "f"}], "documents": [{}, {}], "variables": {"mood": "calm"}}
    for now in ("2026-03-07T08:05:09", datetime.datetime(2026, 3, 7, 8, 5, 9)):
        text = template.render(HELLO, now=now, **more)
        assert text.startswith("2026-03-07 08:05 1 2 calm")
    with pytest.raises(rkchat.InvalidArgument, match="now"):
        template.render(HELLO, now="yesterday")
    aware = datetime.datetime(2026, 3, 7, 8, 5, 9, tzinfo=datetime.timezone.utc)
    with pytest.raises(rkchat.InvalidArgument, match="zone"):
        template.render(HELLO, now=aware)
    with pytest.raises(TypeError, match="`now`: expected a str or a datetime, not int"):
        template.render(HELLO, now=3)


def test_json_goes_through_unchanged():
    template = rkchat.ChatTemplate.from_source("{{ messages | tojson }}")
    text = '[{"role": "user", "z": 1, "a": 1.0, "m": true, "l": [null, "é", 18446744073709551615, -1]}]'
    message = {"role": "user", "z": 1, "a": 1.0, "m": True, "l": (None, "é", 2**64 - 1, -1)}
    assert template.render([message]) == text


def test_tokenizer(tokenizer_path):
    tokenizer = rkchat.Tokenizer.open(tokenizer_path)
    assert tokenizer.encode("one two") == [1, 3, 4]
    assert tokenizer.encode("one two", add_special_tokens=False) == [3, 4]
    assert tokenizer.count("one two") == 3
    assert tokenizer.decode([1, 3, 4]) == "<bos> one two"
    assert tokenizer.decode((1, 3, 4), skip_special_tokens=True) == "one two"
    assert tokenizer.decode(iter([3])) == "one"
    assert rkchat.Tokenizer.open(tokenizer_path.parent).encode("", add_special_tokens=False) == []


def test_a_tokenizer_that_cannot_be_read(tmp_path):
    with pytest.raises(rkchat.NotFound):
        rkchat.Tokenizer.open(tmp_path)
    broken = tmp_path / "tokenizer.json"
    broken.write_text("{}")
    with pytest.raises(rkchat.TokenizerError):
        rkchat.Tokenizer.open(broken)


def test_template_to_ids(tokenizer_path):
    template = rkchat.ChatTemplate.from_source("{{ bos_token }} {{ messages[0].content }}", bos_token="<bos>")
    tokenizer = rkchat.Tokenizer.open(tokenizer_path)
    assert template.encode([{"role": "user", "content": "two one"}], tokenizer) == [1, 4, 3]
    with pytest.raises(TypeError, match="Tokenizer"):
        template.encode([], "tokenizer.json")


def test_nobody_outside_writes_a_control_token():
    words = ROOT / "tests" / "fixtures" / "words"
    template, tokenizer = rkchat.ChatTemplate.open(words), rkchat.Tokenizer.open(words)
    messages = [{"role": "user", "content": "the <eos> sea"}]
    assert template.encode(messages, tokenizer) == [0, 3, 1, 4]
    assert template.encode(messages, tokenizer, untrusted_content="literal") == [0, 3, 2, 2, 4]
    assert template.assistant_mask(messages, tokenizer) == [0, 0, 0, 0]
    info = tokenizer.info()
    assert info.vocabulary_size == 8
    token = info.special_tokens[1]
    assert (list(token.names), token.text, token.id) == (["eos_token"], "<eos>", 1)
    with pytest.raises(rkchat.InvalidArgument, match="untrusted_content"):
        template.encode(messages, tokenizer, untrusted_content="none")


def test_a_template_is_chosen_by_its_name(tmp_path):
    names = ["default", "tool_use", "rag"]
    named = [{"name": name, "template": name + " {{ enable_thinking }}"} for name in names]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    template = rkchat.ChatTemplate.open(tmp_path)
    assert list(template.info().names) == names
    assert template.render(HELLO) == "default "
    assert template.render(HELLO, tools=[], enable_thinking=False) == "tool_use False"
    assert template.render(HELLO, tools=[], template_name="rag") == "rag "
    assert template.source(template_name="rag") == "rag {{ enable_thinking }}"
    with pytest.raises(rkchat.InvalidArgument, match="default, tool_use, rag"):
        template.render(HELLO, template_name="x")
