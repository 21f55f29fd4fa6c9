"""A model that is opened in the background, looked at, unloaded, and loaded again."""

import os

import pytest

import rkchat
from conftest import scripted_runtime, write_script

IDS = [5, 6, 7]


def script(tmp_path, **fields):
    return write_script(tmp_path / "model", **fields)


def options(group, **more):
    return {"runtime": scripted_runtime(group), "abi": group, **more}


def test_an_opening_is_waited_for(tmp_path):
    path = script(tmp_path, pieces=["yes"], init_ms=400)
    opening = rkchat.Opening.start(path, **options("1.2.1"))
    assert opening.wait(0.01) is False
    assert opening.progress().stage in ("recognising", "tokenizer", "loading")
    assert opening.wait() is True
    progress = opening.progress()
    assert progress.stage == "ready" and progress.bytes_total == os.path.getsize(path)
    with opening.model() as model:
        assert model.complete(IDS).text == "yes"
        assert opening.model().status().state == "ready"


def test_an_opening_is_given_up_or_fails(tmp_path):
    opening = rkchat.Opening.start(script(tmp_path, init_ms=200), **options("1.1.0"))
    opening.cancel()
    assert opening.wait() is True
    with pytest.raises(rkchat.Closed, match="given up"):
        opening.model()
    opening = rkchat.Opening.start(script(tmp_path, init="fail"), **options("1.1.0"))
    with pytest.raises(rkchat.RuntimeFailed):
        opening.model()
    assert opening.progress().stage == "failed"


def test_a_model_is_unloaded_and_loaded_again(tmp_path):
    path = script(tmp_path, pieces=["yes"])
    with rkchat.Model.open(path, **options("1.3.0", warmup=True, keep_alive=3600)) as model:
        status = model.status()
        assert (status.state, status.waiting, status.running_for) == ("ready", 0, None)
        assert status.loaded_for >= 0 and status.idle_for >= 0
        assert min(status.process_memory, status.available_memory, status.model_memory) > 0
        model.unload()
        assert model.status().state == "unloaded"
        assert model.complete(IDS).text == "yes"
        assert model.status().state == "ready"
    assert model.status().state == "closed"
    with pytest.raises(rkchat.Closed):
        model.unload()


def test_memory_is_checked(tmp_path):
    path = script(tmp_path, pieces=["yes"])
    config = '{"num_hidden_layers": 100000, "num_attention_heads": 64, "head_dim": 4096}'
    (tmp_path / "model" / "config.json").write_text(config)
    with pytest.raises(rkchat.OutOfMemory) as caught:
        rkchat.Model.open(path, **options("1.1.0", memory_check="error"))
    assert isinstance(caught.value, MemoryError)
    assert caught.value.details["needed"] > caught.value.details["available"]
    with rkchat.Model.open(path, **options("1.1.0")) as model:
        assert "memory" in [warning.kind for warning in model.info().warnings]


def test_whoever_has_the_npu_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("RKCHAT_LOCK_DIR", str(tmp_path / "locks"))
    with rkchat.Model.open(script(tmp_path, pieces=["yes"]), **options("1.1.0")) as model:
        (holder,) = model.npu_holders()
        assert (holder.pid, holder.models) == (os.getpid(), 1) and "python" in holder.program
        model.unload()
        assert model.npu_holders() == []
