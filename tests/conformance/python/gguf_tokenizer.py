"""A `tokenizer.json` for the byte-level BPE vocabulary in a GGUF file, to compare llama.cpp's tokenizer with."""

import json
import struct

# Of ggml's metadata: how a number is packed; 8 is a text, 9 a list.
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9
CONTROL = 3


class Reader:
    def __init__(self, file):
        self.file = file

    def number(self, kind):
        form = "<" + NUMBERS[kind]
        return struct.unpack(form, self.file.read(struct.calcsize(form)))[0]

    def value(self, kind):
        if kind == TEXT:
            return self.file.read(self.number(10)).decode("utf-8", "replace")
        if kind == LIST:
            kind, count = self.number(4), self.number(10)
            return [self.value(kind) for _ in range(count)]
        return self.number(kind)


def metadata(path):
    with open(path, "rb") as file:
        reader = Reader(file)
        assert file.read(4) == b"GGUF" and reader.number(4) in (2, 3)
        reader.number(10)
        return {reader.value(TEXT): reader.value(reader.number(4)) for _ in range(reader.number(10))}


def tokenizer_json(path):
    """As SmolLM's own: every digit is a word, then GPT-2's rules."""
    values = metadata(path)
    assert (values["tokenizer.ggml.model"], values["tokenizer.ggml.pre"]) == ("gpt2", "smollm")
    tokens, kinds = values["tokenizer.ggml.tokens"], values["tokenizer.ggml.token_type"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return json.dumps({
        "version": "1.0",
        "added_tokens": [
            {"id": id, "content": token, **flags}
            for id, (token, kind) in enumerate(zip(tokens, kinds)) if kind == CONTROL
        ],
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level],
        },
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": {token: id for id, token in enumerate(tokens)},
            "merges": values["tokenizer.ggml.merges"],
        },
    })
