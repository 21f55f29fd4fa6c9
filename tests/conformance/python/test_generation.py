"""Answers, from the scripted runtime."""

import gc
import json
import threading
import time
import weakref

import pytest

import rkchat
from conftest import GROUPS, QUESTION, TOKEN_GROUPS

every_group = pytest.mark.parametrize("group", GROUPS)
every_token_group = pytest.mark.parametrize("group", TOKEN_GROUPS)

ENDLESS = {"pieces": ["word "], "repeat": 0, "delay_ms": 5}


@every_group
def test_an_answer(play):
    model = play(pieces=["Hel", "lo", {"hex": "c3"}, {"hex": "a9"}])
    generation = model.generate(QUESTION)
    assert [chunk.text for chunk in generation] == ["Hel", "lo", "é"]
    assert next(generation, None) is None and generation.next() is None
    completion = generation.completion()
    assert completion.text == "Helloé"
    assert completion.finish_reason is rkchat.FinishReason.STOP
    assert completion.finish_reason == "stop" and f"{completion.finish_reason}" == "stop"
    assert generation.finish_reason() == "stop" and generation.wait()
    assert completion.usage.new_tokens >= 4 and completion.timings.queued >= 0
    assert completion == generation.completion() and hash(completion.usage)
    with pytest.raises(AttributeError):
        completion.text = ""


@every_token_group
def test_what_the_runtime_gets(play, tmp_path, tokenizer_path, group):
    record = tmp_path / "record"
    options = {"tokenizer": tokenizer_path, "top_k": 7, "max_context_len": 512}
    model = play(options, pieces=[["three", 5]], record=str(record))
    info = model.info()
    assert (info.input, info.max_context_len, info.runtime.abi_group) == ("tokens", 512, group)
    assert model.encode("one two") == [1, 3, 4] and model.decode([3]) == "one"
    assert model.render([{"role": "user", "content": "hi"}]) == "hi"
    assert model.generate(QUESTION).completion().text == "three"
    model.complete("four").wait()
    model.complete([4, 3]).wait()
    model.complete(range(3, 5), max_new_tokens=1).wait()
    model.close()
    calls = [json.loads(line) for line in record.read_text().splitlines()]
    assert calls[0]["sampling"]["top_k"] == 7 and calls[0]["max_context_len"] == 512
    runs = [(call["input_type"], call["input"]) for call in calls if call["call"] == "run"]
    assert runs == [("tokens", ids) for ids in ([3, 4, 5], [1, 6], [4, 3], [3, 4])]


@every_group
def test_sampling_per_request(play, group):
    model = play(pieces=["a"])
    completion = model.generate(QUESTION, top_k=1).completion()
    kinds = [warning.kind for warning in completion.warnings]
    assert (completion.text, kinds) == ("a", [] if group == "1.3.0" else ["fixed_sampling"])
    model.close()
    model = play({"fixed_sampling": "error"}, pieces=["a"])
    if group == "1.3.0":
        assert model.generate(QUESTION, top_k=1).completion().text == "a"
    else:
        with pytest.raises(rkchat.Unsupported, match="top_k") as caught:
            model.generate(QUESTION, top_k=1)
        assert isinstance(caught.value, NotImplementedError)
        assert caught.value.details["since"] == "1.3.0"


@every_group
def test_max_new_tokens(play):
    model = play(**ENDLESS)
    completion = model.generate(QUESTION, max_new_tokens=3).completion()
    assert completion.finish_reason == "length"
    assert completion.usage.new_tokens == 3 and completion.text.split() == ["word"] * 3


def test_a_prompt_that_does_not_fit(play, tokenizer_path):
    model = play({"tokenizer": tokenizer_path, "max_context_len": 8}, pieces=["a"])
    with pytest.raises(rkchat.ContextOverflow, match="12") as caught:
        model.generate([{"role": "user", "content": "one " * 12}])
    assert caught.value.details == {"prompt_tokens": 12, "max_context_len": 8}
    assert isinstance(caught.value, ValueError)


# 1.0.0 cannot abort, so there the endless answer would go on.
@pytest.mark.parametrize("group", GROUPS[1:])
def test_cancel_and_go_on(play):
    model = play(**ENDLESS)
    generation = model.generate(QUESTION)
    assert next(generation).text.strip() == "word"
    generation.cancel()
    generation.cancel()
    assert list(generation) == []
    assert generation.completion().finish_reason == "cancelled"
    assert model.generate(QUESTION, max_new_tokens=2).completion().finish_reason == "length"


def test_cancel_before_the_first_token(play):
    model = play(**ENDLESS, prefill_ms=2000)
    began = time.monotonic()
    with model.generate(QUESTION) as generation:
        generation.cancel()
        assert generation.completion().text == ""
    assert time.monotonic() - began < 1.5


def test_timeouts(play):
    model = play(pieces=["a"], prefill_ms=600)
    generation = model.generate(QUESTION)
    assert not generation.wait(0.01)
    for timeout in (0, 0.05, 0.25):
        with pytest.raises(rkchat.Timeout) as caught:
            generation.next(timeout=timeout)
        assert isinstance(caught.value, TimeoutError)
    assert generation.next(timeout=10).text == "a"
    with pytest.raises(TypeError):
        generation.next(timeout="soon")


def test_text_is_the_whole_answer(play):
    generation = play(pieces=["a", "b", "c"], delay_ms=20).generate(QUESTION)
    assert next(generation).text == "a"
    assert generation.text == "abc" == generation.completion().text
    assert [chunk.text for chunk in generation] == ["b", "c"]
    with pytest.raises(AttributeError):
        generation.text = ""


def test_leaving_cancels(play):
    model = play(**ENDLESS)
    with model.generate(QUESTION) as generation:
        next(generation)
    assert generation.finish_reason() == "cancelled"

    for chunk in model.generate(QUESTION):
        assert chunk.text
        break
    generation = model.generate(QUESTION)
    alive = weakref.ref(generation)
    next(generation)
    del generation
    assert alive() is None
    # Each of them would have kept the runtime for ever.
    assert model.generate(QUESTION, max_new_tokens=1).completion().finish_reason == "length"


def test_a_loop_can_be_taken_up_again(play):
    generation = play(pieces=["a", "b", "c"]).generate(QUESTION)
    for chunk in generation:
        assert chunk.text == "a"
        break
    assert [chunk.text for chunk in generation] == ["b", "c"]


def test_the_queue(play):
    model = play({"max_queue": 1}, **ENDLESS)
    running = model.generate(QUESTION)
    next(running)
    waiting = model.generate(QUESTION)
    with pytest.raises(rkchat.Busy):
        model.generate(QUESTION)
    waiting.cancel()
    late = model.generate(QUESTION, queue_timeout=0.3)
    for report in (late.next, late.next, late.completion):
        with pytest.raises(rkchat.Timeout):
            report()
    assert late.finish_reason() == "error"
    running.cancel()


@every_group
def test_faults_of_the_runtime(play):
    model = play(pieces=["a", "b"], run="fail_after")
    generation = model.generate(QUESTION)
    pieces = []
    with pytest.raises(rkchat.RuntimeFailed) as caught:
        for chunk in generation:
            pieces.append(chunk.text)
    assert pieces == ["a", "b"] and isinstance(caught.value, RuntimeError)
    with pytest.raises(rkchat.RuntimeFailed):
        generation.completion()
    assert generation.finish_reason() == "error"


def test_use_after_close(play):
    model = play(**ENDLESS)
    running = model.generate(QUESTION)
    with model as same:
        assert same is model
        next(running)
    assert running.completion().finish_reason == "cancelled"
    model.close()
    assert model.info().max_context_len
    for call in (model.generate, model.render):
        with pytest.raises(rkchat.Closed) as caught:
            call(QUESTION)
        assert isinstance(caught.value, ValueError)
    with pytest.raises(rkchat.Closed):
        model.complete("a")


@pytest.mark.parametrize("order", ["model", "generation"])
def test_dropped_in_any_order(play, order):
    model = play(**ENDLESS)
    generation = model.generate(QUESTION)
    next(generation)
    cycle = [model, generation]
    cycle.append(cycle)
    del cycle
    if order == "model":
        del model
        gc.collect()
        assert next(generation).text
        del generation
    else:
        del generation, model
    gc.collect()


def test_threads(play):
    model = play({"max_queue": 64}, pieces=["a", "b", "c"], delay_ms=2)
    answers = []

    def ask():
        for _ in range(5):
            answers.append("".join(chunk.text for chunk in model.generate(QUESTION)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["abc"] * 40


def test_two_threads_read_one_answer(play):
    generation = play(pieces=["a"], repeat=200, delay_ms=1).generate(QUESTION)
    read = []
    threads = [threading.Thread(target=lambda: read.extend(chunk.text for chunk in generation)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 200


def test_the_interpreter_is_free_meanwhile(play):
    generation = play(pieces=["a"], prefill_ms=800).generate(QUESTION)
    for wait in (generation.next, generation.completion, lambda: generation.text):
        thread = threading.Thread(target=wait)
        thread.start()
        turns = 0
        while thread.is_alive():
            time.sleep(0.01)
            turns += 1
        if wait == generation.next:
            assert turns > 20
