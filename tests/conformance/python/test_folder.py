"""What is read of a model without a runtime."""

import json

import pytest

import rkchat
from conftest import tokenizer


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "Qwen2.5-3B-Instruct-RK3588-1.1.4"
    folder.mkdir()
    (folder / "a-w8a8.rkllm").write_text("{}")
    (folder / "README.md").write_text("---\nbase_model: Qwen/Qwen2.5-3B-Instruct\n---\nMade for RK3588 with RKLLM 1.1.4\n")
    return folder


def test_facts_come_with_their_sources(folder):
    info = rkchat.ModelFolder.open(folder).info()
    assert info.path == folder / "a-w8a8.rkllm"
    facts = {fact.name: fact for fact in info.facts}
    assert (facts["platform"].value, facts["model_version"].value) == ("RK3588", "1.1.4")
    assert "a-w8a8.rkllm" in facts["quantisation"].source
    assert facts["base_model"].source == "README.md"


def test_what_does_not_agree_is_a_warning(folder):
    (folder / "README.md").write_text("RKLLM 1.2.1\n")
    (warning, *_) = rkchat.ModelFolder.open(folder).info().warnings
    assert warning.kind is rkchat.WarningKind.CONTRADICTION
    with pytest.raises(rkchat.ModelAmbiguous, match="model_version") as caught:
        rkchat.Model.open(folder)
    assert isinstance(caught.value, ValueError)
    assert caught.value.details["option"] == "model_version"


def test_one_of_several_is_named(folder):
    (folder / "b-w8a8_g128.rkllm").write_text("{}")
    with pytest.raises(rkchat.InvalidArgument, match="a-w8a8.rkllm, b-w8a8_g128.rkllm"):
        rkchat.ModelFolder.open(folder)
    info = rkchat.ModelFolder.open(folder, file="b-w8a8_g128.rkllm").info()
    assert info.path.name == "b-w8a8_g128.rkllm"


def test_a_hub_id_opens_templates_and_tokenizers(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for handle in (rkchat.ChatTemplate, rkchat.Tokenizer):
        with pytest.raises(rkchat.NotFound, match="hf download some/words .*licence"):
            handle.open("some/words")
    snapshot = tmp_path / "models--some--words" / "snapshots" / "ab12"
    snapshot.mkdir(parents=True)
    (snapshot / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (snapshot / "chat_template.jinja").write_text("{{ messages[0].content }}")
    template, words = rkchat.ChatTemplate.open("some/words"), rkchat.Tokenizer.open("some/words")
    assert template.encode([{"role": "user", "content": "two three"}], words) == [4, 5]
