"""`pipeline("text-generation")` takes and gives what transformers' does."""

import json
import warnings
from types import SimpleNamespace

import numpy
import pytest
import tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast, TextIteratorStreamer
from transformers.pipelines.text_generation import ReturnType, TextGenerationPipeline
from transformers.utils.chat_template_utils import Chat

import rkchat
from conftest import SMOLLM2, scripted_runtime, tokenizer, write_script
from gguf_tokenizer import tokenizer_json

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"
MESSAGES = [{"role": "user", "content": "who?"}]
YES = {"role": "assistant", "content": "yes"}
GREEDY = {"top_k": 1, "repeat_penalty": 1.0}
# It takes and gives tokens, and has the sampling of each run; 1.1.0 takes text, and samples as it was opened.
TOKENS = pytest.mark.parametrize("played", ["1.3.0"], indirect=True)
WORDS = [["three", 5], *[[" four", 6], [" three", 5]] * 200]


class Played:
    """A pipeline over a script, and what the runtime was given."""

    def __init__(self, folder, **options):
        self.record = folder / "record.jsonl"
        self.pipe = rkchat.pipeline("text-generation", model=folder, **options)

    def calls(self, name):
        return [line for line in map(json.loads, self.record.read_text().splitlines()) if line["call"] == name]

    def sampled(self, name="run"):
        """The settings of the last call that differ from what rkchat has without a pipeline."""
        sampling = self.calls(name)[-1]["sampling"]
        return {key: round(sampling[key], 3) for key in ("top_k", "top_p", "temperature", "repeat_penalty")}


@pytest.fixture
def played(tmp_path, monkeypatch, request):
    group = getattr(request, "param", "1.1.0")
    monkeypatch.setenv("RKCHAT_RUNTIME", str(scripted_runtime(group)))
    monkeypatch.setenv("RKCHAT_ABI", group)
    opened = []

    def played(pieces=("y", "es"), config=None, words=2, **options):
        pieces = WORDS[:words] if group == "1.3.0" else list(pieces)
        folder = write_script(tmp_path / "model", pieces=pieces, record="record.jsonl").parent
        (folder / "chat_template.jinja").write_text(TEMPLATE)
        if config is not None:
            (folder / "generation_config.json").write_text(json.dumps(config))
        if group == "1.3.0":
            (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
        opened.append(Played(folder, **options))
        return opened[-1]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield played
    for each in opened:
        each.pipe.model.close()


def test_one_input_gives_a_list_of_dicts_and_several_a_list_of_those(played):
    pipe = played().pipe
    chat = [{"generated_text": [*MESSAGES, YES]}]
    assert pipe(MESSAGES) == pipe(tuple(MESSAGES)) == pipe(dict(m) for m in MESSAGES) == chat
    assert pipe("who? ") == [{"generated_text": "who? yes"}]
    assert pipe([MESSAGES, MESSAGES], batch_size=2) == [chat, chat]
    assert pipe(["a ", "b "]) == [[{"generated_text": "a yes"}], [{"generated_text": "b yes"}]]
    assert pipe([]) == []
    lazy = pipe(text for text in ("a ", "b "))
    assert next(lazy) == [{"generated_text": "a yes"}] and list(lazy) == [[{"generated_text": "b yes"}]]
    for wrong in (7, [7], [[]], b"who?", MESSAGES[0], [MESSAGES[0], "who?"]):
        with pytest.raises(rkchat.InvalidArgument, match="text_inputs"):
            pipe(wrong)


def test_the_answer_alone(played):
    pipe = played(return_full_text=False).pipe
    assert pipe(MESSAGES) == pipe("who?") == [{"generated_text": "yes"}]
    assert pipe("who? ", return_full_text=True) == [{"generated_text": "who? yes"}]


def test_a_message_of_the_assistant_is_gone_on_with(played):
    played = played()
    begun = [*MESSAGES, {"role": "assistant", "content": "oh "}]
    assert played.pipe(begun) == [{"generated_text": [*MESSAGES, {"role": "assistant", "content": "oh yes"}]}]
    assert played.calls("run")[-1]["input"] == "<user>who?<assistant>oh "
    assert played.pipe(begun, continue_final_message=False) == [{"generated_text": [*begun, YES]}]
    assert played.calls("run")[-1]["input"] == "<user>who?<assistant>oh <bot>"
    assert begun[-1]["content"] == "oh "


@TOKENS
def test_greedy_unless_do_sample(played):
    played = played()
    played.pipe("a")
    assert played.sampled().items() >= GREEDY.items()
    played.pipe("a", do_sample=True)
    assert played.sampled() == {"top_k": 50, "top_p": 1, "temperature": 1, "repeat_penalty": 1}
    played.pipe("a", do_sample=True, temperature=0.25, top_k=7, top_p=0.5, repetition_penalty=1.5)
    assert played.sampled() == {"top_k": 7, "top_p": 0.5, "temperature": 0.25, "repeat_penalty": 1.5}
    config = GenerationConfig(do_sample=True, temperature=0.75, max_new_tokens=1)
    assert played.pipe("one ", generation_config=config, top_k=9) == [{"generated_text": "one three"}]
    assert played.sampled() == {"top_k": 9, "top_p": 1, "temperature": 0.75, "repeat_penalty": 1}
    with pytest.warns(UserWarning, match="do_sample.*temperature, top_p$"):
        played.pipe("a", temperature=0.25, top_p=0.5)
    assert played.sampled().items() >= GREEDY.items()


@TOKENS
def test_what_the_authors_recommend_counts(played):
    played = played(config={"do_sample": True, "temperature": 0.6, "repetition_penalty": 1.2, "max_new_tokens": 1})
    assert played.pipe("one ") == [{"generated_text": "one three"}]
    assert played.sampled() == {"top_k": 50, "top_p": 1, "temperature": 0.6, "repeat_penalty": 1.2}
    played.pipe("a", do_sample=False)
    assert played.sampled()["top_k"] == 1


def test_sampling_that_is_fixed_is_honoured_by_opening_again(played):
    played = played()
    played.pipe("a")
    played.pipe("a", repetition_penalty=1.0)
    assert len(played.calls("init")) == 1 and played.sampled("init").items() >= GREEDY.items()
    played.pipe("a", do_sample=True, temperature=0.25)
    assert len(played.calls("init")) == 2 and played.sampled("init")["temperature"] == 0.25


@TOKENS
def test_how_long(played):
    played = played(words=400)
    text = lambda *args, **options: played.pipe(*args, return_full_text=False, **options)[0]["generated_text"]
    assert text("one") == " ".join(["three", "four"] * 128)
    assert text("one", max_new_tokens=3) == "three four three"
    # <bos> and two words.
    assert text("one two", max_length=7) == "three four three four"
    assert text("one two", max_length=7, max_new_tokens=2) == "three four"
    with pytest.raises(rkchat.InvalidArgument, match="alone has 3 tokens"):
        text("one two", max_length=3)


def test_where_it_stops(played):
    pipe = played(pieces=["one ", "two ", "three ", "four"], return_full_text=False).pipe
    assert pipe("a", stop_strings=["three"]) == [{"generated_text": "one two "}]
    assert pipe("a", stop_sequence="two") == [{"generated_text": "one "}]


def test_several_answers(played):
    played = played()
    assert len(played.pipe(MESSAGES, do_sample=True, num_return_sequences=3)) == 3
    assert len(played.calls("run")) == 3
    with pytest.raises(rkchat.InvalidArgument, match="num_return_sequences"):
        played.pipe(MESSAGES, num_return_sequences=2)


def test_options_for_the_template(played):
    played = played(pieces=['<tool_call>{"name": "now", "arguments": {}}</tool_call>'])
    path = played.record.parent / "chat_template.jinja"
    played.pipe.model.close()
    path.write_text("{{ tools }}<tool_call>{{ documents }}{{ enable_thinking }}{{ tone }}")
    pipe = rkchat.pipeline("text-generation", model=path.parent)
    tools = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
    options = {"tokenizer_encode_kwargs": {"enable_thinking": False, "tone": "dry", "add_special_tokens": False}}
    message = pipe(MESSAGES, tools=tools, documents=[{"text": "d"}], **options)[0]["generated_text"][-1]
    assert message["tool_calls"][0]["function"] == {"name": "now", "arguments": {}}
    prompt = played.calls("run")[-1]["input"]
    assert "'now'" in prompt and prompt.endswith("<tool_call>[{'text': 'd'}]Falsedry")
    pipe.model.close()


def test_what_does_not_matter_is_told_once(played):
    with pytest.warns(UserWarning, match=r"ignored: device_map, dtype, trust_remote_code$") as told:
        pipe = played(device_map="auto", dtype="auto", trust_remote_code=True, framework=None).pipe
    assert len(told) == 1 and told[0].filename == __file__
    assert pipe("a ", pad_token_id=2, use_cache=True, num_workers=1) == [{"generated_text": "a yes"}]


def test_what_cannot_be_is_an_error(played):
    with pytest.raises(rkchat.InvalidArgument, match="'fill-mask'.*'text-generation'"):
        rkchat.pipeline("fill-mask")
    with pytest.raises(rkchat.InvalidArgument, match="`model` is missing"):
        rkchat.pipeline("text-generation")
    pipe = played().pipe
    with pytest.raises(TypeError, match="penalty_alpha"):
        pipe("a", penalty_alpha=0.6)
    with pytest.raises(rkchat.InvalidArgument, match="exclude"):
        pipe("a", return_text=True, return_full_text=True)
    for option in ({"return_tensors": True}, {"num_beams": 4}):
        with pytest.raises(rkchat.Unsupported, match=next(iter(option))):
            pipe("a", **option)


def test_options_of_opening(played):
    pipe = played(max_context_len=64).pipe
    assert pipe.model.info().max_context_len == 64
    assert pipe("who?")[0]["generated_text"] == "who?yes"
    assert pipe.tokenizer.pad_token_id == pipe.tokenizer.eos_token_id


def test_a_model_that_is_open(played):
    model = played().pipe.model
    pipe = rkchat.pipeline(model=model)
    assert pipe.model is model and pipe.task == "text-generation"
    assert pipe(MESSAGES)[0]["generated_text"][-1] == YES


def test_warnings_of_answers_are_warnings(played):
    played = played()
    played.pipe.model.close()
    pipe = rkchat.pipeline(model=rkchat.Model.open(played.record.parent))
    with pytest.warns(UserWarning, match="top_k") as told:
        pipe(MESSAGES)
    pipe.model.close()
    assert told[0].filename == __file__


class Tokens:
    """A streamer of tokens."""

    def __init__(self):
        self.given = []

    def put(self, ids):
        self.given.append((ids.shape, ids.tolist()))

    def end(self):
        self.given.append("end")


@TOKENS
def test_streamers(played):
    pipe = played().pipe
    tokens = Tokens()
    pipe("one two", streamer=tokens)
    assert tokens.given == [((1, 3), [[1, 3, 4]]), ((1,), [5]), ((1,), [6]), "end"]
    for skip, expected in ((True, "three four"), (False, "one twothree four")):
        streamer = TextIteratorStreamer(None, skip_prompt=skip, timeout=10)
        answer = pipe("one two", streamer=streamer)
        assert "".join(streamer) == expected
        assert answer == [{"generated_text": "one twothree four"}]


@TOKENS
def test_a_streamer_that_fails_cancels(played):
    class Full(Tokens):
        def put(self, ids):
            raise BufferError

    played = played(words=400)
    streamer = Full()
    with pytest.raises(BufferError):
        played.pipe("one", streamer=streamer, max_new_tokens=1000)
    assert played.pipe("one ", max_new_tokens=1) == [{"generated_text": "one three"}]


@pytest.fixture(scope="module")
def smollm2():
    pipe = rkchat.pipeline("text-generation", model=SMOLLM2)
    yield pipe
    pipe.model.close()


def test_what_model_cards_show(smollm2):
    # The import and the model's name are all that differs.
    pipeline, model = rkchat.pipeline, SMOLLM2
    with pytest.warns(UserWarning, match="device_map, model_kwargs, torch_dtype"):
        pipe = pipeline(
            "text-generation", model=model, model_kwargs={"torch_dtype": "auto"}, torch_dtype="auto", device_map="auto"
        )
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    outputs = pipe(messages, max_new_tokens=24)
    assert "Paris" in outputs[0]["generated_text"][-1]["content"]
    assert outputs[0]["generated_text"][:-1] == messages

    prompt = pipe.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert pipe.tokenizer.eos_token == "<|im_end|>"
    terminators = [pipe.tokenizer.eos_token_id, pipe.tokenizer.convert_tokens_to_ids("<|im_start|>")]
    outputs = pipe(
        prompt, max_new_tokens=12, do_sample=True, temperature=0.7, top_k=50, top_p=0.95, eos_token_id=terminators,
        pad_token_id=pipe.tokenizer.eos_token_id,
    )
    assert len(outputs[0]["generated_text"][len(prompt):]) > 0
    assert outputs[0]["generated_text"].startswith(prompt)
    streamer = TextIteratorStreamer(pipe.tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=60)
    outputs = pipe(messages, max_new_tokens=24, streamer=streamer)
    assert "".join(streamer) == outputs[0]["generated_text"][-1]["content"]
    pipe.model.close()


def test_a_token_can_end_an_answer(smollm2):
    text = smollm2("One, two, three,", max_new_tokens=8, return_full_text=False)[0]["generated_text"]
    comma = smollm2.tokenizer.convert_tokens_to_ids(",")
    cut = smollm2("One, two, three,", max_new_tokens=8, return_full_text=False, eos_token_id=[comma, 2])
    assert "," in text and cut == [{"generated_text": text.partition(",")[0]}]


BEGUN = [*MESSAGES, {"role": "assistant", "content": "My name"}]


@pytest.mark.parametrize("full_text", [True, False])
@pytest.mark.parametrize("given", ["The sea is", MESSAGES, BEGUN], ids=["text", "messages", "begun"])
def test_transformers_makes_the_same_of_an_answer(smollm2, given, full_text):
    """The tokens that were fed and answered, through transformers' own last step."""
    streamer = Tokens()
    ours = smollm2(given, max_new_tokens=12, return_full_text=full_text, streamer=streamer)
    (_, [prompt]), *answer, _ = streamer.given
    theirs = PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(tokenizer_json(SMOLLM2)))
    sequence = numpy.array([[*prompt, *(id for _, ids in answer for id in ids)]])
    outputs = {
        "generated_sequence": [SimpleNamespace(numpy=lambda: sequence)],
        "input_ids": numpy.array([prompt]),
        "prompt_text": given if isinstance(given, str) else Chat(given),
    }
    kind = ReturnType.FULL_TEXT if full_text else ReturnType.NEW_TEXT
    pipe = SimpleNamespace(tokenizer=theirs)
    assert TextGenerationPipeline.postprocess(pipe, outputs, return_type=kind) == ours
