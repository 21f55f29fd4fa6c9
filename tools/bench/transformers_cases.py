"""Times transformers over prepared cases: `transformers_cases.py CASES TEMPLATES [ROUNDS]`. One number a
line, in microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends."""

import json
import sys
import time
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template


def main() -> None:
    cases, templates, *rounds = sys.argv[1:]
    sources = {}
    for line in Path(cases).open(encoding="utf-8", newline="\n"):
        case = json.loads(line)
        name = case["t"]
        if name not in sources:
            sources[name] = (Path(templates) / f"{name}.jinja").read_bytes().decode()
        context = dict(case["context"])
        messages = context.pop("messages")

        def render():
            return render_jinja_template(conversations=[messages], chat_template=sources[name], **context)

        if not rounds:
            print(render()[0][0])
            return
        best = float("inf")
        try:
            render()  # compiles
            for _ in range(int(rounds[0])):
                begun = time.perf_counter_ns()
                render()
                best = min(best, (time.perf_counter_ns() - begun) / 1000)
        except Exception:  # whatever a template raises
            best = -1
        print(f"{best:.3f}")


main()
