"""Streams an answer.

chat.py MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N]
"""

import argparse
import sys

import rkchat

parser = argparse.ArgumentParser(description="Streams an answer.")
parser.add_argument("model", help="a .gguf or .rkllm file, or a model folder")
parser.add_argument("prompt", nargs="?", default="What is the capital of France?")
parser.add_argument("--runtime", help="the librkllmrt.so to use")
parser.add_argument("--greedy", action="store_true", help="the likeliest token, always")
parser.add_argument("--max-new-tokens", type=int, metavar="N")
arguments = parser.parse_args()

sampling = {"top_k": 1, "repeat_penalty": 1.0} if arguments.greedy else {}
messages = [{"role": "user", "content": arguments.prompt}]

try:
    with rkchat.Model.open(arguments.model, runtime=arguments.runtime, **sampling) as model:
        generation = model.generate(messages, max_new_tokens=arguments.max_new_tokens)
        for chunk in generation:
            print(chunk.text, end="", flush=True)
        print()
        completion = generation.completion()
except rkchat.RkchatError as error:
    sys.exit(f"chat: {error}")

usage, timings = completion.usage, completion.timings
print(
    f"{usage.prompt_tokens} prompt tokens in {timings.prefill:.2f} s, "
    f"{usage.new_tokens} new tokens in {timings.decode:.2f} s ({completion.finish_reason})",
    file=sys.stderr,
)
