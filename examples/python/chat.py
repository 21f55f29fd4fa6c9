"""Asks a model one question and prints the answer as it comes."""

import sys

import rkchat
from shared import question, read_arguments, timings

arguments = read_arguments(__doc__)
try:
    with rkchat.Model.open(arguments.model, **arguments.open) as model:
        generation = model.generate(question(arguments.prompt), **arguments.generate)
        for chunk in generation:
            print(chunk.text, end="", flush=True)
        print()
        print(timings(generation.completion()), file=sys.stderr)
except rkchat.RkchatError as error:
    sys.exit(str(error))
