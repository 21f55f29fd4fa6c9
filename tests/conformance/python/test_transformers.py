"""Token ids against transformers itself, on real tokenizers and the texts of tests/vectors."""

import os

import pytest

import rkchat
from conftest import ROOT, vectors

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
transformers = pytest.importorskip("transformers", reason="transformers comes with make build")

TOKENIZERS = sorted(path.parent for path in ROOT.glob(".cache/tokenizers/*/tokenizer.json"))
if not TOKENIZERS:
    pytest.skip("no tokenizers; run tools/fetch-tokenizers.sh", allow_module_level=True)


TEXTS = vectors("texts.jsonl")
CHATS = vectors("chats.jsonl")

# For tokenizers that come without a template: ChatML, and one whose generation blocks make a mask.
OWN = (
    "{{ bos_token or '' }}{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module", params=TOKENIZERS, ids=lambda folder: folder.name)
def both(request):
    return transformers.AutoTokenizer.from_pretrained(request.param), rkchat.Tokenizer.open(request.param)


def templates(theirs, folder):
    """Each template with its source for transformers: None is its own."""
    special = {name: text for name, text in theirs.special_tokens_map.items() if isinstance(text, str)}
    own = rkchat.ChatTemplate.from_source(OWN, special_tokens=special)
    found = [(own, OWN)]
    if theirs.chat_template:
        found.append((rkchat.ChatTemplate.open(folder), None))
    return found


def test_texts(both):
    theirs, ours = both
    for vector in TEXTS:
        text = vector["text"]
        for special in (False, True):
            ids = theirs(text, add_special_tokens=special)["input_ids"]
            assert ours.encode(text, add_special_tokens=special) == ids, vector["id"]
            assert ours.count(text, add_special_tokens=special) == len(ids), vector["id"]
        for skip in (False, True):
            assert ours.decode(ids, skip_special_tokens=skip) == theirs.decode(ids, skip_special_tokens=skip)


def test_special_tokens(both):
    theirs, ours = both
    added = theirs.added_tokens_decoder.items()
    special = {token.id: token.text for token in ours.info().special_tokens}
    assert special == {id: token.content for id, token in added if token.special}
    names = {name: token.text for token in ours.info().special_tokens for name in token.names}
    for name, text in theirs.special_tokens_map.items():
        if isinstance(text, str):
            assert names[name] == text
    assert ours.info().vocabulary_size == len(theirs)


def asked(theirs, chat, source, **more):
    """What transformers gives; None where it refuses."""
    given = {key: chat.get(key) for key in ("tools", "add_generation_prompt")}
    try:
        return theirs.apply_chat_template(
            chat["messages"],
            chat_template=source,
            tools=given["tools"],
            add_generation_prompt=bool(given["add_generation_prompt"]),
            return_dict=True,
            **more,
        )
    except Exception as error:  # a template's own, whatever class it has
        if type(error).__name__ not in ("TemplateError", "UndefinedError", "TypeError"):
            raise
        return None


def options(chat):
    return {key: chat[key] for key in ("tools", "add_generation_prompt") if key in chat}


def test_chats(both):
    theirs, ours = both
    special = {token.id for token in ours.info().special_tokens if token.text != theirs.unk_token}
    for template, source in templates(theirs, theirs.name_or_path):
        for chat in CHATS:
            wanted = asked(theirs, chat, source)
            if wanted is None:
                with pytest.raises(rkchat.TemplateError):
                    template.encode(chat["messages"], ours, **options(chat))
                continue
            ids = template.encode(chat["messages"], ours, **options(chat))
            assert ids == wanted["input_ids"], chat["id"]
            literal = template.encode(chat["messages"], ours, untrusted_content="literal", **options(chat))
            bare = ["".join(ours.decode(each).split()) for each in (literal, ids)]
            assert bare[0] == bare[1], chat["id"]
            if not chat["id"].startswith(("forged", "thinking")):
                assert literal == ids, chat["id"]
            # Cut into other pieces, but with the same control tokens.
            sanitized = asked(theirs, chat, source, sanitize_control_tokens=True)["input_ids"]
            controls = [id for id in sanitized if id in special]
            assert [id for id in literal if id in special] == controls, chat["id"]


def test_assistant_mask(both):
    theirs, ours = both
    template, source = templates(theirs, theirs.name_or_path)[0]
    for chat in CHATS:
        wanted = asked(theirs, chat, source, return_assistant_tokens_mask=True)
        assert template.assistant_mask(chat["messages"], ours, **options(chat)) == wanted["assistant_masks"]
