"""Stops in the middle of an answer, and asks something else.

cancel.py MODEL [--runtime PATH] [--greedy] [--max-new-tokens N]
"""

import argparse
import itertools
import sys

import rkchat

parser = argparse.ArgumentParser(description="Stops in the middle of an answer, and asks something else.")
parser.add_argument("model", help="a .gguf or .rkllm file, or a model folder")
parser.add_argument("--runtime", help="the librkllmrt.so to use")
parser.add_argument("--greedy", action="store_true", help="the likeliest token, always")
parser.add_argument("--max-new-tokens", type=int, metavar="N")
arguments = parser.parse_args()

sampling = {"top_k": 1, "repeat_penalty": 1.0} if arguments.greedy else {}


def user(text):
    return [{"role": "user", "content": text}]


try:
    with rkchat.Model.open(arguments.model, runtime=arguments.runtime, **sampling) as model:
        # Leaving the `with` cancels what is left of the answer.
        with model.generate(user("Count from one to one hundred, in words.")) as generation:
            for chunk in itertools.islice(generation, 8):
                print(chunk.text, end="", flush=True)
        print(f"\n[{generation.finish_reason()}]")

        question = user("What is the capital of France?")
        for chunk in model.generate(question, max_new_tokens=arguments.max_new_tokens):
            print(chunk.text, end="", flush=True)
        print()
except rkchat.RkchatError as error:
    sys.exit(f"cancel: {error}")
