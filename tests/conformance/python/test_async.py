"""`async for` over answers of the scripted runtime."""

import asyncio
import os
import time

import pytest

import rkchat
from conftest import QUESTION

ENDLESS = {"pieces": ["word "], "repeat": 0, "delay_ms": 5}


def test_async_for(play):
    model = play(pieces=["a", "b", "c"], delay_ms=20)

    async def ask():
        return [chunk.text async for chunk in model.generate(QUESTION)]

    assert asyncio.run(ask()) == ["a", "b", "c"]


def test_the_loop_runs_meanwhile(play):
    model = play({"max_queue": 4}, pieces=["a"], prefill_ms=300)
    turns = 0

    async def count():
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    async def ask():
        return [chunk.text async for chunk in model.generate(QUESTION)]

    async def both():
        counting = asyncio.create_task(count())
        answers = await asyncio.gather(ask(), ask())
        counting.cancel()
        return answers

    assert asyncio.run(both()) == [["a"], ["a"]]
    assert turns > 20


def test_leaving_the_loop_cancels(play):
    model = play(**ENDLESS)

    async def ask():
        async for chunk in model.generate(QUESTION):
            return chunk.text

    assert asyncio.run(ask()).strip() == "word"
    assert model.generate(QUESTION, max_new_tokens=1).completion().finish_reason == "length"


def test_a_task_that_is_cancelled(play):
    model = play(pieces=["a"], prefill_ms=400)

    async def ask():
        generation = model.generate(QUESTION)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(generation.__anext__(), 0.05)
        # The answer goes on, and can be waited for again.
        return [chunk.text async for chunk in generation]

    assert asyncio.run(ask()) == ["a"]


def test_cancel_wakes(play):
    model = play(**ENDLESS, prefill_ms=5000)

    async def ask():
        generation = model.generate(QUESTION)
        asyncio.get_running_loop().call_later(0.1, generation.cancel)
        return [chunk async for chunk in generation], generation.finish_reason()

    began = time.monotonic()
    assert asyncio.run(ask()) == ([], "cancelled")
    assert time.monotonic() - began < 3


def test_two_tasks_on_one_answer(play):
    model = play(pieces=["a"], prefill_ms=300)

    async def ask():
        generation = model.generate(QUESTION)
        first = asyncio.create_task(generation.__anext__())
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="another task waits"):
            await generation.__anext__()
        return (await first).text

    assert asyncio.run(ask()) == "a"


def test_errors(play):
    model = play(pieces=["a"], run="fail_after")

    async def ask():
        async for chunk in model.generate(QUESTION):
            assert chunk.text == "a"

    with pytest.raises(rkchat.RuntimeFailed):
        asyncio.run(ask())


def test_outside_of_a_loop(play):
    generation = play(**ENDLESS, prefill_ms=5000).generate(QUESTION)
    with pytest.raises(RuntimeError, match="no running event loop"):
        generation.__anext__().send(None)


def test_await_gives_the_text(play):
    model = play({"max_queue": 4}, pieces=["a", "b", "c"], delay_ms=20)

    async def ask():
        return await model.generate(QUESTION)

    async def all_of_them():
        return await asyncio.gather(ask(), ask(), ask())

    assert asyncio.run(all_of_them()) == ["abc"] * 3


def test_the_loop_runs_while_a_text_is_awaited(play):
    model = play(pieces=["a"], prefill_ms=300)
    turns = 0

    async def count():
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    async def ask():
        counting = asyncio.create_task(count())
        text = await model.generate(QUESTION)
        counting.cancel()
        return text

    assert asyncio.run(ask()) == "a"
    assert turns > 10


def test_await_leaves_the_pieces(play):
    model = play(pieces=["a", "b", "c"], delay_ms=20)

    async def ask():
        generation = model.generate(QUESTION)
        first = await generation.__anext__()
        reading = asyncio.create_task(read(generation))
        whole = await asyncio.gather(text_of(generation), text_of(generation))
        return first.text, await reading, whole, await generation

    async def read(generation):
        return [chunk.text async for chunk in generation]

    async def text_of(generation):
        return await generation

    assert asyncio.run(ask()) == ("a", ["b", "c"], ["abc", "abc"], "abc")


def test_await_raises_what_failed(play):
    model = play(pieces=["a"], run="fail_after")

    async def ask():
        generation = model.generate(QUESTION)
        with pytest.raises(rkchat.RuntimeFailed):
            await generation
        with pytest.raises(rkchat.RuntimeFailed):
            generation.text

    asyncio.run(ask())


def test_a_wait_for_a_text_that_is_cancelled(play):
    model = play(**ENDLESS)

    async def ask():
        generation = model.generate(QUESTION)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(generation, 0.05)
        assert generation.finish_reason() is None
        asyncio.get_running_loop().call_later(0.05, generation.cancel)
        return await generation, generation.finish_reason()

    text, reason = asyncio.run(ask())
    assert text.startswith("word word ") and reason == "cancelled"


def test_a_cancelled_await_leaves_nothing_behind(play):
    generation = play(**ENDLESS).complete([1, 2])

    async def wait():
        await generation

    async def main():
        for _ in range(20):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(wait(), 0.005)

    asyncio.run(main())
    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(main())
    assert len(os.listdir("/proc/self/fd")) <= before
    generation.cancel()
