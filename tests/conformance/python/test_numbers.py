"""Embeddings, logits, scores, adapters and prompt caches."""

import array
import gc
import math
import os

import pytest

import rkchat
from conftest import RAN, ROOT, RUNTIMES, SMOLLM2, vectors

WORDS = ROOT / "tests" / "fixtures" / "words" / "tokenizer.json"


@pytest.fixture(scope="module", params=["1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"])
def scripted(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("numbers") / "model.rkllm"
    path.write_text('{"pieces": [["x", 1]]}')
    runtime = RUNTIMES / "scripted" / request.param / "librkllmrt.so"
    with rkchat.Model.open(path, runtime=runtime, abi=request.param, tokenizer=WORDS) as model:
        yield request.param, model


@pytest.mark.parametrize("case", vectors("numbers.jsonl"), ids=lambda case: case["id"])
def test_shared_vectors(scripted, case):
    group, model = scripted
    method = getattr(model, case["call"])
    if group == "1.1.0" and case["call"] != "embed":
        with pytest.raises(rkchat.Unsupported) as error:
            method(case["input"], **case["options"])
        assert error.value.details["since"] == "1.2.0"
    elif "error" in case:
        with pytest.raises(getattr(rkchat, case["error"])):
            method(case["input"], **case["options"])
    else:
        tensor = method(case["input"], **case["options"])
        assert tensor.shape == tuple(case["shape"]) and len(tensor) == case["shape"][0]
        flat = tensor.tolist()
        flat = [number for row in flat for number in row] if len(tensor.shape) == 2 else flat
        assert flat == pytest.approx(case["data"], abs=1e-6)
    RAN["numbers.jsonl"].add(case["id"])


@pytest.fixture(scope="module", params=["1.1.0", "1.3.0"])
def smollm2(request):
    options = {"max_context_len": 256, "top_k": 1, "repeat_penalty": 1.0}
    with rkchat.Model.open(SMOLLM2, runtime=RUNTIMES / request.param / "librkllmrt.so", **options) as model:
        yield model


def test_tensors_are_arrays_without_a_copy(smollm2):
    numpy = pytest.importorskip("numpy")
    tensor = smollm2.embed(["one", "two"])
    assert repr(tensor) == "Tensor(shape=(2, 576))"
    rows, same = numpy.asarray(tensor), numpy.from_dlpack(tensor)
    assert rows.shape == (2, 576) and rows.dtype == numpy.float32
    assert rows.ctypes.data == same.ctypes.data == tensor.__array_interface__["data"][0]
    assert numpy.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-5)
    rows[0, 0] = 7
    assert same[0, 0] == 7 and tensor.tolist()[0][0] == 7
    copy = numpy.from_dlpack(tensor, copy=True)
    assert copy.ctypes.data != rows.ctypes.data and copy.tolist() == rows.tolist()
    # The arrays keep the numbers.
    expected = rows.tolist()
    del tensor
    gc.collect()
    assert rows.tolist() == same.tolist() == expected


def test_dlpack_by_itself(smollm2):
    tensor = smollm2.embed(["one"], pooling="none")
    assert tensor.__dlpack_device__() == (1, 0)
    capsule = tensor.__dlpack__(max_version=(1, 0))
    assert '"dltensor"' in repr(capsule)
    # One that nobody takes is freed with its capsule.
    del capsule
    with pytest.raises(BufferError):
        tensor.__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError):
        array.array("f", tensor.__dlpack__())


def test_likely_texts_score_higher(smollm2):
    if smollm2.info().runtime.abi_group == "1.1.0":
        pytest.skip("releases before 1.2.0 give no logits")
    likely, unlikely = (smollm2.score(text).tolist() for text in ("One, two, three, four", "One, two, banana, of"))
    assert sum(likely) > sum(unlikely) and all(score < 0 for score in likely)
    logits = smollm2.logits("One, two, three,").tolist()[0]
    answer = smollm2.complete("One, two, three,", max_new_tokens=1).completion()
    assert [logits.index(max(logits))] == list(answer.token_ids)
    ids = smollm2.encode("One, two, three, four")
    rows = smollm2.logits(ids, positions=range(len(ids))).tolist()
    for row, following, score in zip(rows, ids[1:], likely):
        largest = max(row)
        total = largest + math.log(sum(math.exp(logit - largest) for logit in row))
        assert score == pytest.approx(row[following] - total, abs=1e-4)


def test_prompt_caches(smollm2, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    system = [{"role": "system", "content": "You are a helpful assistant."}]
    question = [*system, {"role": "user", "content": "What is the capital of France?"}]
    name = smollm2.save_prompt_cache(system)
    (cache,) = smollm2.prompt_caches()
    assert (cache.name, cache.loaded, cache.differs) == (name, False, None)
    assert cache.size == cache.path.stat().st_size and cache.tokens > 8
    assert (tmp_path / "cache" / "rkchat" / "prompts") in cache.path.parents
    assert os.listdir(tmp_path) == ["cache"]
    with pytest.raises(rkchat.CacheMismatch) as error:
        smollm2.load_prompt_cache(name, prompt="another")
    assert error.value.details["differs"] == "the prompt"
    # What the last prompt left would be reused as well.
    smollm2.complete("Something else altogether", max_new_tokens=1).completion()
    smollm2.load_prompt_cache(name, prompt=system)
    usage = smollm2.generate(question, max_new_tokens=4).completion().usage
    assert 8 < usage.reused_tokens < usage.prompt_tokens
    smollm2.release_prompt_cache()
    assert not smollm2.prompt_caches()[0].loaded


def test_adapters(smollm2, tmp_path):
    assert smollm2.adapters() == []
    with pytest.raises(rkchat.InvalidArgument, match="none is loaded"):
        smollm2.complete("a", adapter="polite")
    with pytest.raises(rkchat.NotFound):
        smollm2.load_adapter(tmp_path / "nowhere.gguf")
    (tmp_path / "polite.rkllm").write_text("no GGUF")
    with pytest.raises(rkchat.RuntimeMismatch, match="GGUF"):
        smollm2.load_adapter(tmp_path / "polite.rkllm")


def test_adapters_of_requests(tmp_path):
    path = tmp_path / "model.rkllm"
    path.write_text('{"pieces": ["x"]}')
    (tmp_path / "polite.rkllm").write_text("an adapter")
    runtime = RUNTIMES / "scripted" / "1.3.0" / "librkllmrt.so"
    with rkchat.Model.open(path, runtime=runtime, abi="1.3.0", chat_template="x") as model:
        model.load_adapter(tmp_path / "polite.rkllm", scale=0.5)
        assert model.adapters() == [rkchat.AdapterInfo("polite", tmp_path / "polite.rkllm", 0.5)]
        model.complete([5], adapter="polite").completion()
