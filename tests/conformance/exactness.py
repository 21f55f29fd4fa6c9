"""The same prompt, greedily, gives the same text from every language, on both ABI groups, and from
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
NEW_TOKENS = 64
# rkchat's default.
CONTEXT = 4096
GROUPS = ["1.1.0", "1.3.0"]

PROGRAMS = {
    "rust": [RELEASE / "chat"],
    "c": [ROOT / "target" / "native" / "examples" / "c" / "chat"],
    "cpp": [ROOT / "target" / "native" / "examples" / "cpp" / "chat"],
    "python": [sys.executable, ROOT / "examples" / "python" / "chat.py"],
    "node": ["node", ROOT / "examples" / "node" / "chat.mjs"],
}

PROMPTS = [
    "What is the capital of France?",
    "Write a haiku about the sea.",
    "Répète exactement : « l'été 🌞, 東京, こんにちは 👩‍👩‍👧 »",
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
    # 64 tokens may end inside a character.
    return done.stdout.decode("utf-8", "replace")


def main() -> None:
    passed = failed = 0
    threads = len(os.sched_getaffinity(0))
    direct = RELEASE / "examples" / "direct"
    for prompt in PROMPTS:
        # The examples end the line after the answer.
        expected = output([direct, MODEL, CONTEXT, threads, NEW_TOKENS, rendered(prompt)]) + "\n"
        print(f"{prompt!r}\n  llama.cpp: {expected!r}")
        for language, program in PROGRAMS.items():
            for group in GROUPS:
                runtime = RELEASE / "runtime" / group / "librkllmrt.so"
                options = ["--greedy", "--max-new-tokens", NEW_TOKENS]
                answer = output([*program, MODEL, prompt, *options], RKCHAT_RUNTIME=str(runtime))
                if answer == expected and len(answer) > 1:
                    passed += 1
                else:
                    failed += 1
                    print(f"  FAILED: {language} on {group} gave {answer!r}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
