"""Answers a question with a tool: the model asks for it, the program runs it, the model goes on."""

import sys

import rkchat
from shared import question, read_arguments

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_temperature",
            "description": "How warm it is in a city now.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
# A model that gets nowhere is left alone after so many answers.
ROUNDS = 8


def use(call):
    """Runs a tool. A real one would ask a service."""
    if call.name != "get_temperature":
        return "there is no such tool"
    return {"Oslo": "4 degrees", "Rome": "19 degrees"}.get(call.arguments.get("city"), "unknown city")


arguments = read_arguments(__doc__)
try:
    with rkchat.Model.open(arguments.model, **arguments.open) as model:
        messages = question(arguments.prompt)
        for _ in range(ROUNDS):
            generation = model.generate(messages, tools=TOOLS, **arguments.generate)
            for chunk in generation:
                if chunk.kind == rkchat.ChunkKind.TEXT:
                    print(chunk.text, end="", flush=True)
            answer = generation.completion()
            print()
            messages.append(answer.message)
            for call in answer.tool_calls:
                result = use(call)
                print(f"[{call.name}: {result}]")
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
            if not answer.tool_calls:
                break
except rkchat.RkchatError as error:
    sys.exit(str(error))
