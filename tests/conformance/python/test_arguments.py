"""Bad input: each with an error of its own kind, which says what was wrong."""

import copy
import math
import pickle
import struct

import pytest

import rkchat
from conftest import QUESTION, RUNTIMES, SMOLLM2, scripted_runtime, write_script
from rkchat import _errors

CPU = RUNTIMES / "1.3.0" / "librkllmrt.so"


@pytest.mark.parametrize(
    "option, value, message",
    [
        ("max_new_tokens", 0, "`max_new_tokens` is 0; allowed are 1 to 1048576"),
        ("max_new_tokens", -1, "`max_new_tokens` is -1; allowed are 1 to 1048576"),
        ("max_new_tokens", 2**40, "`max_new_tokens` is 1099511627776; allowed are 1 to"),
        ("top_k", -(2**90), "`top_k` is -1237940039285380274899124224; allowed are 1 to"),
        ("top_p", 1.5, r"top_p"),
        ("temperature", math.nan, r"temperature"),
        ("temperature", 1e300, r"temperature"),
        ("queue_timeout", -1.0, "`queue_timeout` is -1; allowed are seconds from 0"),
        ("queue_timeout", math.inf, r"queue_timeout"),
        ("tools", [1, {"f": math.inf}], r"`tools\[1\]\.f`: JSON has no NaN"),
        ("tools", [2**64], r"`tools\[0\]`: an int of more than 64 bits"),
    ],
)
def test_values(play, option, value, message):
    model = play(pieces=["a"])
    with pytest.raises(rkchat.InvalidArgument, match=message) as caught:
        model.generate(QUESTION, **{option: value})
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "option, value, message",
    [
        ("max_new_tokens", "5", "`max_new_tokens`: expected an int, not str"),
        ("max_new_tokens", 5.0, "`max_new_tokens`: expected an int, not float"),
        ("max_new_tokens", True, "`max_new_tokens`: expected an int, not bool"),
        ("top_p", "0.5", "`top_p`: expected a float, not str"),
        ("queue_timeout", [], "`queue_timeout`: expected a float, not list"),
        ("tools", {1: 2}, "`tools`: the keys of a JSON object are str, not int"),
        ("tools", [{"a": {2}}], r"`tools\[0\]\.a`: set is not JSON"),
    ],
)
def test_types(play, option, value, message):
    model = play(pieces=["a"])
    with pytest.raises(TypeError, match=message):
        model.generate(QUESTION, **{option: value})


@pytest.mark.parametrize(
    "option, hint",
    [
        ("max_tokens", "; rkchat calls it 'max_new_tokens'"),
        ("maxTokens", "; rkchat calls it 'max_new_tokens'"),
        ("repetition_penalty", "; rkchat calls it 'repeat_penalty'"),
        ("stop", "; rkchat calls it 'stop_strings'"),
        ("maxNewTokens", ". Did you mean 'max_new_tokens'?"),
        ("tempreature", ". Did you mean 'temperature'?"),
        ("response_format", ""),
    ],
)
def test_unknown_options(play, option, hint):
    model = play(pieces=["a"])
    with pytest.raises(TypeError) as caught:
        model.generate(QUESTION, **{option: 5})
    assert str(caught.value) == f"Model.generate() got an unexpected keyword argument '{option}'{hint}"


def test_unknown_options_of_models():
    with pytest.raises(TypeError, match="'n_ctx'; rkchat calls it 'max_context_len'$"):
        rkchat.Model.open(CPU, n_ctx=4096)


def test_other_arguments(tokenizer_path):
    tokenizer = rkchat.Tokenizer.open(tokenizer_path)
    with pytest.raises(TypeError, match="`text`: expected a str, not bytes"):
        tokenizer.encode(b"one")
    with pytest.raises(TypeError, match="`add_special_tokens`: expected True or False, not int"):
        tokenizer.encode("one", add_special_tokens=1)
    with pytest.raises(TypeError, match="`ids`: expected a list, not str"):
        tokenizer.decode("one")
    with pytest.raises(TypeError, match=r"`ids\[1\]`: expected an int, not str"):
        tokenizer.decode([1, "2"])
    with pytest.raises(rkchat.InvalidArgument, match=r"`ids\[0\]` is -1; allowed are 0 to 4294967295"):
        tokenizer.decode([-1])
    with pytest.raises(TypeError, match="`path`: expected a str or an os.PathLike, not int"):
        rkchat.Tokenizer.open(3)
    with pytest.raises(rkchat.RkchatError, match="."):
        rkchat.Tokenizer.open("nul\0byte")
    with pytest.raises(TypeError):
        rkchat.Tokenizer()


def test_text_that_is_not_unicode(tokenizer_path, template):
    tokenizer = rkchat.Tokenizer.open(tokenizer_path)
    with pytest.raises(rkchat.InvalidArgument, match="`text`: half a surrogate pair at index 2"):
        tokenizer.encode("ab\ud800")
    with pytest.raises(rkchat.InvalidArgument, match=r"`messages\[0\]\.content`: half a surrogate"):
        template.render([{"role": "user", "content": "\udfff"}])
    assert tokenizer.encode("one\0 two", add_special_tokens=False) == [0, 4]


def test_json_that_does_not_end(template):
    messages = []
    messages.append({"role": "user", "content": messages})
    with pytest.raises(rkchat.InvalidArgument, match="contains itself"):
        template.render(messages)


@pytest.mark.parametrize("messages", [[], {}, "hello", None, 3, ["hello"], [[]]])
def test_messages(play, tokenizer_path, messages):
    model = play({"tokenizer": tokenizer_path}, pieces=["a"])
    with pytest.raises(rkchat.InvalidArgument, match="messages"):
        model.generate(messages)


def test_models_that_are_none(tmp_path):
    with pytest.raises(rkchat.NotFound, match="missing.gguf") as caught:
        rkchat.Model.open(tmp_path / "missing.gguf")
    assert isinstance(caught.value, FileNotFoundError) and caught.value.kind == "not_found"
    with pytest.raises(rkchat.NotFound):
        rkchat.Model.open(tmp_path)
    foreign = tmp_path / "text.gguf"
    foreign.write_text("This is not a model.")
    with pytest.raises(rkchat.InvalidModel):
        rkchat.Model.open(foreign)


@pytest.mark.parametrize("length", [0, 3, 24, 4096, 2_000_000, 90_000_000])
def test_truncated_gguf(tmp_path, length):
    path = tmp_path / "truncated.gguf"
    with SMOLLM2.open("rb") as whole:
        path.write_bytes(whole.read(length))
    with pytest.raises(rkchat.InvalidModel, match="truncated.gguf"):
        rkchat.Model.open(path)


def test_gguf_of_something_else(tmp_path):
    def text(value):
        return struct.pack("<Q", len(value)) + value

    architecture = text(b"general.architecture") + struct.pack("<I", 8) + text(b"nonsense")
    path = tmp_path / "nonsense.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + architecture)
    with pytest.raises((rkchat.InvalidModel, rkchat.RuntimeFailed), match="nonsense"):
        rkchat.Model.open(path)


def test_model_and_runtime_that_do_not_fit(tmp_path):
    path = write_script(tmp_path / "model", pieces=["a"])
    with pytest.raises(rkchat.RuntimeMismatch):
        rkchat.Model.open(path, runtime=CPU)
    with pytest.raises(rkchat.RuntimeMismatch):
        rkchat.Model.open(SMOLLM2, runtime=scripted_runtime("1.3.0"), abi="1.3.0")


@pytest.mark.parametrize("name", sorted(set(_errors.__all__) - {"ErrorKind", "RkchatError"}))
def test_exceptions(name):
    exception = getattr(rkchat, name)
    error = exception("what was wrong", {"fact": 1})
    assert isinstance(error, rkchat.RkchatError) and len(exception.__bases__) == 2
    assert str(error) == "what was wrong" == error.message
    assert error.kind == rkchat.ErrorKind(str(error.kind))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.details) == (exception, error.message, {"fact": 1})


def test_handles_are_not_copied(play, template, tokenizer_path):
    model = play(pieces=["a"])
    handles = [template, rkchat.Tokenizer.open(tokenizer_path), model, model.generate(QUESTION)]
    for handle in handles:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(handle, protocol)
        with pytest.raises(TypeError, match="copied"):
            copy.copy(handle)
        with pytest.raises(TypeError):
            type("Sub", (type(handle),), {})
