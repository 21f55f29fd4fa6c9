"""Times transformers over prepared cases: `transformers_cases.py CASES TEMPLATES [ROUNDS]`. One number a
line, in microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends. With `--compile
TEMPLATES ROUNDS` it times the compiling of each template, in the order of their names."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from transformers.utils import chat_template_utils


def fastest(rounds: int, run: Callable[[], object]) -> float:
    best = float("inf")
    try:
        for _ in range(rounds):
            begun = time.perf_counter_ns()
            run()
            best = min(best, (time.perf_counter_ns() - begun) / 1000)
    except Exception:  # whatever a template raises
        best = -1
    return best


def compiling(templates: Path, rounds: int) -> None:
    """As transformers does it for a template that is not in its cache."""
    compiled = chat_template_utils._cached_compile_jinja_template  # the one below the cache
    for path in sorted(templates.iterdir()):
        source = path.read_bytes().decode()
        print(f"{fastest(rounds, lambda: compiled(source)):.3f}")


def main() -> None:
    if sys.argv[1] == "--compile":
        compiling(Path(sys.argv[2]), int(sys.argv[3]))
        return
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
            return chat_template_utils.render_jinja_template(conversations=[messages], chat_template=sources[name], **context)

        if not rounds:
            print(render()[0][0])
            return
        fastest(1, render)  # compiles
        print(f"{fastest(int(rounds[0]), render):.3f}")


main()
