"""What the example programs share: their command line, and how they show timings."""

import argparse


def read_arguments(description):
    """Reads the command line, and sorts it into what opens a model and what a request takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", help="a .gguf or .rkllm file, or a model folder")
    parser.add_argument("prompt", nargs="?", default="What is the capital of France?")
    parser.add_argument("--runtime", help="the librkllmrt.so to use")
    parser.add_argument("--greedy", action="store_true", help="always take the likeliest token")
    parser.add_argument("--max-new-tokens", type=int, metavar="N")
    parser.add_argument("--max-context-len", type=int, metavar="N", help="the size of the context window, in tokens")
    arguments = parser.parse_args()
    arguments.open = {"runtime": arguments.runtime, "max_context_len": arguments.max_context_len}
    if arguments.greedy:
        # Set when the model is opened, where runtimes of every version take it.
        arguments.open.update(top_k=1, repeat_penalty=1.0)
    arguments.generate = {"max_new_tokens": arguments.max_new_tokens}
    return arguments


def question(text):
    """A conversation of one question."""
    return [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": text},
    ]


def timings(completion):
    """One line with what an answer took."""
    usage, timings = completion.usage, completion.timings
    reused = f" ({usage.reused_tokens} of them still in the cache)" if usage.reused_tokens else ""
    first = timings.time_to_first_token
    return (
        f"{usage.prompt_tokens} prompt tokens{reused}, prefill {speed(timings.prefill_speed)}"
        + (f", first token after {first:.2f} s" if first is not None else "")
        + f"; {usage.new_tokens} new tokens, decode {speed(timings.decode_speed)}"
    )


def speed(tokens_per_second):
    return "too short to tell" if tokens_per_second is None else f"{tokens_per_second:.1f} tokens/s"
