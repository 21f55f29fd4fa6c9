"""The same prompt, greedily, gives the same text from every language, on every ABI group, and from
llama.cpp called directly.

Every run is a process of its own, so each prompt is the first request on a freshly opened model.
`make build` comes first.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASE = ROOT / "target" / "release"
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"

# Two groups are asked everything, the others one thing with a short answer.
GROUPS = ["1.1.0", "1.3.0"]
OTHER_GROUPS = ["1.0.0", "1.0.1", "1.2.0", "1.2.1b1", "1.2.1"]
NEW_TOKENS = 64
# Enough for the first emoji of the answer.
FEWER_TOKENS = 44
# rkchat's default.
CONTEXT = 4096
# 1.0.0 cannot abort: after the last token that was asked for it goes on until this is full.
SMALL_CONTEXT = 128

PROGRAMS = {
    "rust": [RELEASE / "chat"],
    "c": [ROOT / "target" / "native" / "examples" / "c" / "chat"],
    "cpp": [ROOT / "target" / "native" / "examples" / "cpp" / "chat"],
    "python": [sys.executable, ROOT / "examples" / "python" / "chat.py"],
    "node": ["node", ROOT / "examples" / "node" / "chat.mjs"],
}

MIXED = "Répète exactement : « l'été 🌞, 東京, こんにちは 👩‍👩‍👧 »"
PROMPTS = [
    "What is the capital of France?",
    "Write a haiku about the sea.",
    MIXED,
    "  Count from 1 to 10,\nthen stop.\t",
]


def rendered(prompt: str) -> str:
    """What SmolLM2's template gives for the examples' conversation, written down here so that rkchat's
    own rendering is tested too."""
    system = "You are a helpful assistant."
    turns = f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n"
    return turns + "<|im_start|>assistant\n"


def output(command: list, **environment: str) -> str:
    """What a program prints to stdout; ends with its stderr where it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
    )
    if done.returncode != 0:
        errors = done.stderr.decode("utf-8", "replace").strip()
        return f"(exit status {done.returncode}: {errors})"
    # The tokens that were asked for may end inside a character.
    return done.stdout.decode("utf-8", "replace")


def direct(prompt: str, context: int, new_tokens: int) -> str:
    """What llama.cpp answers."""
    threads = len(os.sched_getaffinity(0))
    program = RELEASE / "examples" / "direct"
    # The examples end the line after the answer.
    return output([program, MODEL, context, threads, new_tokens, rendered(prompt)]) + "\n"


def compare(prompt: str, groups: list, new_tokens: int, context=None) -> tuple:
    """Asks in every language on every group; how many gave what llama.cpp gives, and how many did not."""
    expected = direct(prompt, context or CONTEXT, new_tokens)
    print(f"{prompt!r} on {', '.join(groups)}\n  llama.cpp: {expected!r}", flush=True)
    options = ["--greedy", "--max-new-tokens", new_tokens]
    if context is not None:
        options += ["--max-context-len", context]
    passed = failed = 0
    for language, program in PROGRAMS.items():
        for group in groups:
            runtime = RELEASE / "runtime" / group / "librkllmrt.so"
            answer = output([*program, MODEL, prompt, *options], RKCHAT_RUNTIME=str(runtime))
            if answer == expected and len(answer) > 1:
                passed += 1
            else:
                failed += 1
                print(f"  FAILED: {language} on {group} gave {answer!r}", flush=True)
    return passed, failed


def main() -> None:
    results = [compare(prompt, GROUPS, NEW_TOKENS) for prompt in PROMPTS]
    results.append(compare(MIXED, OTHER_GROUPS, FEWER_TOKENS, SMALL_CONTEXT))
    passed, failed = (sum(counts) for counts in zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
