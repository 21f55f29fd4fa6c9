"""Prompts: rkchat against transformers, @huggingface/jinja and the crate hf-chat-template, in one run.

Rendering is the whole call, from parsed messages to the prompt, with compiled templates, over the public
cases of ../shared/templates that all four render; compiling is that of the templates which all four take. Each
counts with its best round. Starts are timed from outside. Prints Markdown tables.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RELEASE = ROOT / "target" / "release" / "examples"
SHARED = ROOT.parent / "shared" / "templates"
CACHE = ROOT / ".cache" / "bench"
TOKENIZER = ROOT / ".cache" / "tokenizers" / "gemma3"
JINJA = "@huggingface/jinja@0.5.11"
ROUNDS = 5
STARTS = 7


def read(name: str) -> list:
    """Lines end at line feeds only: the texts have other line ends in them."""
    with (SHARED / name).open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def prepare() -> Path:
    """The cases with everything that the template sees; tokens and arguments under their names."""
    tokens = {template["id"]: template["special_tokens"] or {} for template in read("templates.jsonl")}
    conversations = {conversation["id"]: conversation for conversation in read("conversations.jsonl")}
    path = CACHE / "cases.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as out:
        for case in read("cases.jsonl"):
            conversation = conversations[case["c"]]
            if "expected" not in case or conversation["continue_final_message"]:
                continue
            context = tokens[case["t"]] | (case.get("kwargs") or {})
            for name in ("messages", "tools", "documents", "add_generation_prompt"):
                context[name] = conversation[name]
            context["messages"] = [
                {key: value for key, value in message.items() if value is not None}
                for message in context["messages"]
            ]
            out.write(json.dumps({"t": case["t"], "context": context}, ensure_ascii=False) + "\n")
    return path


def peers() -> dict[str, list]:
    """The programs, each with what it takes before the cases."""
    modules = CACHE / "node_modules"
    if not (modules / "@huggingface" / "jinja").is_dir():
        run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", CACHE, JINJA])
    run(["cargo", "build", "--quiet", "--release", "--manifest-path", HERE / "peers" / "Cargo.toml",
         "--target-dir", CACHE / "target"])
    return {
        "rkchat": [RELEASE / "prompt_bench"],
        "transformers": [sys.executable, HERE / "transformers_cases.py"],
        "@huggingface/jinja": ["node", HERE / "jinja.mjs", modules],
        "hf-chat-template": [CACHE / "target" / "release" / "rkchat-bench-peers"],
    }


def run(command: list, **more) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], check=True, text=True, **more)


def measured(command: list) -> tuple[float, float]:
    """Milliseconds and megabytes of resident memory of a whole process."""
    done = run([RELEASE / "prompt_bench", "--run", *command], capture_output=True)
    time, memory = done.stdout.split()
    return float(time), float(memory)


def median(command: list) -> tuple[float, float]:
    runs = [measured(command) for _ in range(STARTS)]
    return tuple(statistics.median(column) for column in zip(*runs))


def table(what: str, counted: str, programs: dict[str, list], arguments: list) -> None:
    """Runs all programs and compares what each took for the things that none of them failed at."""
    times = {}
    for name, program in programs.items():
        done = run([*program, *arguments], capture_output=True)
        times[name] = [float(line) for line in done.stdout.split()]
    together = [row for row in zip(*times.values()) if min(row) > 0]
    print(f"\n{what}, in microseconds, {len(together)} {counted} of {len(times['rkchat'])} that none fails at; "
          f"best of {ROUNDS} rounds each.\n")
    print("| | succeeds | median | p95 | times rkchat's, median | p95 |\n|---|---|---|---|---|---|")
    ours = None
    for name, column in zip(times, zip(*together)):
        column = sorted(column)
        half, high = statistics.median(column), column[len(column) * 95 // 100]
        ours = ours or (half, high)
        print(f"| {name} | {sum(time > 0 for time in times[name])} | {half:.1f} | {high:.1f} | "
              f"{half / ours[0]:.1f} | {high / ours[1]:.1f} |")


def starts(programs: dict[str, list], cases: Path) -> None:
    print(f"\nFrom process start to the first prompt, median of {STARTS} starts.\n")
    print("| | ms | MB |\n|---|---|---|")
    for name, program in programs.items():
        print("| {} | {:.1f} | {:.1f} |".format(name, *median([*program, cases, SHARED / "templates"])))


def imports() -> None:
    print(f"\nImport in Python, above an empty interpreter, median of {STARTS} starts.\n")
    print("| | ms | MB |\n|---|---|---|")
    empty = median([sys.executable, "-c", ""])
    for name in ("rkchat", "transformers"):
        module = "from transformers import AutoTokenizer" if name == "transformers" else "import rkchat"
        used = median([sys.executable, "-c", module])
        print(f"| {module} | {used[0] - empty[0]:.1f} | {used[1] - empty[1]:.1f} |")


def tokenizer() -> None:
    if not TOKENIZER.is_dir():
        print("\nNo tokenizer of 256k tokens: run tools/fetch-tokenizers.sh")
        return
    load = "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained"
    print("\nA process that opens Gemma 3's tokenizer (262144 tokens).\n")
    print("| | ms | MB |\n|---|---|---|")
    rows = {
        "rkchat": [RELEASE / "prompt_bench", "--tokenizer", TOKENIZER],
        "transformers": [sys.executable, "-c", f"{load}({str(TOKENIZER)!r})"],
    }
    for name, command in rows.items():
        print("| {} | {:.0f} | {:.0f} |".format(name, *median(command)))


def main() -> None:
    if not (SHARED / "cases.jsonl").is_file():
        sys.exit(f"bench: no reference templates at {SHARED}")
    cases = prepare()
    programs = peers()
    table("Whole call", "cases", programs, [cases, SHARED / "templates", ROUNDS])
    table("Compiling", "templates", programs, ["--compile", SHARED / "templates", ROUNDS])
    starts(programs, cases)
    imports()
    tokenizer()


if __name__ == "__main__":
    main()
