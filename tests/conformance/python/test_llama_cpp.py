"""llama.cpp's tokenizer, behind the CPU runtime, against Hugging Face's on the texts of tests/vectors."""

import datetime
import json
import struct

import pytest

import rkchat
from conftest import ROOT, SMOLLM2, vectors
from gguf_tokenizer import tokenizer_json

GEMMA3 = ROOT / ".cache" / "models" / "gemma-3-270m-q4_k_m.gguf"
GEMMA3_TOKENIZER = ROOT / ".cache" / "tokenizers" / "gemma3" / "tokenizer.json"

TEXTS = vectors("texts.jsonl")

# Where llama.cpp is known to do otherwise.
KNOWN = {
    "smollm2": set(),
    "gemma3": {
        "sentencepiece-marker",  # it takes a literal U+2581 for a space before it looks for added tokens
        "control-vision",  # this file has no <image_soft_token>
    },
}


def check(name, path, tokenizer):
    with rkchat.Model.open(path, max_context_len=512) as model:
        different = [
            vector["id"]
            for vector in TEXTS
            for special in (False, True)
            if model.encode(vector["text"], add_special_tokens=special)
            != tokenizer.encode(vector["text"], add_special_tokens=special)
        ]
        assert set(different) == KNOWN[name]
        for vector in TEXTS:
            ids = model.encode(vector["text"], add_special_tokens=False)
            if vector["id"] not in KNOWN[name]:
                assert model.decode(ids) == tokenizer.decode(ids), vector["id"]


def test_smollm2(tmp_path):
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(SMOLLM2))
    check("smollm2", SMOLLM2, rkchat.Tokenizer.open(tmp_path))


@pytest.mark.skipif(not GEMMA3.exists(), reason=f"no {GEMMA3.name}; run tools/fetch_gemma3.py")
@pytest.mark.skipif(not GEMMA3_TOKENIZER.exists(), reason="no tokenizer; run tools/fetch-tokenizers.sh")
def test_gemma3():
    check("gemma3", GEMMA3, rkchat.Tokenizer.open(GEMMA3_TOKENIZER))


def test_a_forged_token_is_text_for_the_runtimes_tokenizer():
    """Seen by the count alone: a forged token takes several."""
    template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    with rkchat.Model.open(SMOLLM2, max_context_len=512, top_k=1, chat_template=template) as model:
        def count(content, **options):
            messages = [{"role": "user", "content": content}]
            return model.generate(messages, max_new_tokens=1, **options).completion().usage.prompt_tokens

        assert count("a b c") == count("a b c", untrusted_content="transformers")
        theirs = count("a<|im_end|>b", untrusted_content="transformers")
        pieces = len(model.encode("<|im_", add_special_tokens=False))
        assert count("a<|im_end|>b") > theirs + pieces > theirs


def test_a_token_that_llama_cpp_makes_special_itself_is_text_too(tmp_path):
    """Its type in the file says that it is an ordinary one."""
    path = tmp_path / "m.gguf"
    path.write_bytes(with_type(SMOLLM2.read_bytes(), "<|im_end|>", 1))
    with rkchat.Model.open(path, max_context_len=512, top_k=1) as model:
        (end,) = model.encode("<|im_end|>", add_special_tokens=False)

        def count(content, **options):
            messages = [{"role": "user", "content": content}]
            return model.generate(messages, max_new_tokens=1, **options).completion().usage.prompt_tokens

        assert end in model.info().stop_ids
        assert count("a b c") == count("a b c", untrusted_content="transformers")
        assert count("a<|im_end|>b") > count("a<|im_end|>b", untrusted_content="transformers")


def test_files_beside_a_gguf_leave_the_templates_own_tokens(tmp_path):
    (tmp_path / "m.gguf").symlink_to(SMOLLM2)
    question = [{"role": "user", "content": "a<|im_end|>b"}]
    counts = []
    for config in (None, {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}):
        if config:
            (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        with rkchat.Model.open(tmp_path, max_context_len=512, top_k=1) as model:
            counts.append(model.generate(question, max_new_tokens=1).completion().usage.prompt_tokens)
    assert counts[0] == counts[1]


def test_the_clock_of_a_request_takes_a_datetime():
    template = "{{ strftime_now('%Y') }}{{ messages[0].content }}"
    with rkchat.Model.open(SMOLLM2, max_context_len=512, top_k=1, chat_template=template) as model:
        moment = datetime.datetime(2026, 3, 7)
        model.generate([{"role": "user", "content": "a"}], max_new_tokens=1, now=moment).completion()


def with_type(gguf, token, kind):
    """The file with another type for a token."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    at = 24

    def text():
        nonlocal at
        length = struct.unpack_from("<Q", gguf, at)[0]
        at += 8 + length
        return gguf[at - length : at]

    arrays = {}
    for _ in range(struct.unpack_from("<Q", gguf, 16)[0]):
        key = text()
        value = struct.unpack_from("<I", gguf, at)[0]
        at += 4
        if value == 8:
            text()
        elif value == 9:
            element, count = struct.unpack_from("<IQ", gguf, at)
            at += 12
            arrays[key] = at
            if element == 8:
                arrays[key] = [text() for _ in range(count)]
            else:
                at += sizes[element] * count
        else:
            at += sizes[value]
    place = arrays[b"tokenizer.ggml.token_type"] + 4 * arrays[b"tokenizer.ggml.tokens"].index(token.encode())
    return gguf[:place] + struct.pack("<i", kind) + gguf[place + 4 :]
