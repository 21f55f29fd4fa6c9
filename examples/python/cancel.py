"""Stops in the middle of an answer, then asks something else."""

import itertools
import sys

import rkchat
from shared import question, read_arguments

arguments = read_arguments(__doc__)
try:
    with rkchat.Model.open(arguments.model, **arguments.open) as model:
        # Leaving the `with` cancels what is left of the answer.
        with model.generate(question("Write a long story about a lighthouse."), **arguments.generate) as story:
            for chunk in itertools.islice(story, 8):
                print(chunk.text, end="", flush=True)
        print("\n[cancelled]")

        answer = model.generate(question(arguments.prompt), **arguments.generate).completion()
        print(answer.text)
except rkchat.RkchatError as error:
    sys.exit(str(error))
