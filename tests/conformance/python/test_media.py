"""Tensors that go in: images, embeddings, an encoder's output; and batches."""

import array
import json

import pytest

import rkchat
from conftest import ROOT, scripted_runtime, write_script

MESSAGES = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " and?"}]}]
NUMBERS = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]


class Shaped:
    """Numbers by numpy's protocol alone."""

    def __init__(self, numbers, shape, **more):
        self.memory = array.array("f", numbers)
        address, _ = self.memory.buffer_info()
        base = {"version": 3, "typestr": "<f4", "shape": shape, "data": (address, False)}
        self.__array_interface__ = {**base, **more}


def shaped(numbers, *shape):
    """The same by the buffer protocol."""
    return memoryview(array.array("f", numbers)).cast("B").cast("f", shape)


@pytest.fixture
def model(tmp_path):
    opened = []

    def model(group="1.3.0", **options):
        script = {"pieces": [["one ", 1], ["two", 2]], "record": "record.jsonl", "hidden_size": 2}
        path = write_script(tmp_path / "model", **script)
        opened.append(rkchat.Model.open(path, runtime=scripted_runtime(group), abi=group, **options))
        return opened[-1]

    yield model
    for one in opened:
        one.close()


def recorded(tmp_path, call):
    lines = (tmp_path / "model" / "record.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["call"] == call]


@pytest.mark.parametrize("numbers", [Shaped(NUMBERS, (1, 3, 2)), shaped(NUMBERS, 1, 3, 2)], ids=["interface", "buffer"])
def test_images_go_where_their_parts_are(model, tmp_path, numbers):
    opened = model(image_start="<s>")
    generation = opened.generate(MESSAGES, images=numbers, image_width=448, image_height=336)
    assert generation.completion().text == "one two"
    [run] = recorded(tmp_path, "run")
    assert run["input"] == "<image> and?"
    assert run["images"]["values"] == NUMBERS and run["images"]["shape"] == [1, 3]
    assert run["images"]["size"] == [448, 336] and run["images"]["markers"] == ["<s>", "", ""]


def test_numpy_and_own_tensors_go_in(model, tmp_path):
    numpy = pytest.importorskip("numpy")
    opened = model("1.1.0", tokenizer=ROOT / "tests" / "fixtures" / "words" / "tokenizer.json")
    tensor = opened.embed(["the sea"], normalize=False)
    assert opened.complete_embeddings(tensor).completion().usage.prompt_tokens == 1
    rows = numpy.arange(8, dtype=numpy.float32).reshape(4, 2)
    assert opened.complete_embeddings(rows).completion().usage.prompt_tokens == 4
    assert opened.complete_embeddings(rows[1:3]).completion().usage.prompt_tokens == 2
    assert [run["input"] for run in recorded(tmp_path, "run")][1:] == [1, 4, 2]
    for wrong in (rows.T, rows[::2], rows.astype(numpy.float64), rows.astype(numpy.int32)):
        with pytest.raises(TypeError, match="`embeddings`: expected float32 numbers in C order"):
            opened.complete_embeddings(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        [[0.5, 1.0]],
        "ab",
        b"abcd",
        None,
        array.array("d", [1.0]),
        Shaped([1.0], (1, 1), typestr="<f8"),
        Shaped([1.0, 2.0], (1, 1), strides=(8, 8)),
        Shaped([1.0], (2**40, 2**40)),
    ],
    ids=repr,
)
def test_what_is_no_tensor_is_a_type_error(model, wrong):
    with pytest.raises(TypeError, match="embeddings"):
        model().complete_embeddings(wrong)


def test_shapes_are_checked(model):
    opened = model()
    for wrong in (array.array("f", [1.0, 2.0]), Shaped([1.0, 2.0], (1, 1, 2)), shaped([float("nan"), 0], 1, 2)):
        with pytest.raises(rkchat.InvalidArgument, match="embeddings"):
            opened.complete_embeddings(wrong)
    with pytest.raises(rkchat.InvalidArgument, match="no embeddings"):
        opened.generate(MESSAGES)


def test_an_encoder_is_attended_to(model, tmp_path):
    opened = model(use_cross_attn=True)
    keys, values, mask = shaped([1, 2], 1, 2, 1, 1), shaped([3, 4], 1, 1, 1, 2), array.array("f", [1, 0])
    opened.set_cross_attention(keys, values, mask, [0, 5])
    [call] = recorded(tmp_path, "set_cross_attn_params")
    assert call["first"] == [1, 3] and call["mask"] == [1, 0] and call["positions"] == [0, 5]


def test_a_batch_has_an_answer_for_each(model, tmp_path):
    opened = model(n_batch=2, tokenizer=ROOT / "tests" / "fixtures" / "words" / "tokenizer.json")
    completions = opened.generate_batch(["the sea", "is wide", "sea"], max_new_tokens=1)
    assert [one.finish_reason for one in completions] == [rkchat.FinishReason.LENGTH] * 3
    assert len(recorded(tmp_path, "run")) == 2
    with pytest.raises(rkchat.Unsupported, match="generate_batch"):
        opened.complete("sea")


def test_what_a_runtime_lacks_is_named(tmp_path):
    path = write_script(tmp_path / "model", pieces=["x"])
    for name, value, since in [("n_keep", 1, "1.2.0"), ("n_batch", 2, "1.2.1"), ("host_tokenizer", True, "1.3.0")]:
        with pytest.raises(rkchat.Unsupported) as error:
            rkchat.Model.open(path, runtime=scripted_runtime("1.1.0"), abi="1.1.0", **{name: value})
        assert error.value.details["since"] == since
