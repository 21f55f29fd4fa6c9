"""What each turn of a conversation computes, on every ABI group that reuses prompts.

A chat of rkchat against a client that sends the whole conversation to a runtime that reuses nothing: the
tokens of the prompt that are evaluated at each turn, and what both wait for their first tokens in all.
"Own" is the new prompt without what it has in common with the last one and its answer. Prints a
Markdown table.
"""

from pathlib import Path

import rkchat

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
RUNTIMES = ROOT / "target" / "release" / "runtime"
GROUPS = ["1.2.0", "1.2.1", "1.3.0"]
TURNS = 20
NEW_TOKENS = 12
SYSTEM = "You are a helpful assistant. Answer in one sentence."
PLACES = ["France", "Italy", "Norway", "Japan", "Kenya"]


def question(turn: int) -> str:
    return f"Number {turn}: what is {PLACES[turn % len(PLACES)]} known for?"


def common_beginning(new: list, old: list) -> int:
    return next((place for place, (a, b) in enumerate(zip(new, old)) if a != b), min(len(new), len(old)))


def converse(group: str, reuse: str) -> list:
    """Per turn: tokens of the prompt, its own, those evaluated, and the time to the first token."""
    turns = []
    last = []
    options = {"top_k": 1, "repeat_penalty": 1.0, "max_context_len": 2048, "assume": {"prefix_reuse": reuse}}
    with rkchat.Model.open(MODEL, runtime=RUNTIMES / group / "librkllmrt.so", **options) as model:
        chat = rkchat.Chat.open(model, system=SYSTEM)
        for turn in range(TURNS):
            answer = chat.send(question(turn), max_new_tokens=NEW_TOKENS).completion()
            prompt = model.render(chat.messages()[:-1], add_generation_prompt=True)
            ids = model.encode(prompt, add_special_tokens=False)
            own = len(ids) - common_beginning(ids, last)
            usage = answer.usage
            evaluated = usage.prompt_tokens - usage.reused_tokens
            turns.append((usage.prompt_tokens, own, evaluated, answer.timings.time_to_first_token))
            last = [*ids, *answer.token_ids]
    return turns


def main() -> None:
    chats = [converse(group, "on") for group in GROUPS]
    peer = converse(GROUPS[-1], "off")
    print(f"\nTokens evaluated at each of {TURNS} turns: {MODEL.name}, {NEW_TOKENS} new tokens a turn.\n")
    print(f"| turn | prompt | own | {' | '.join(f'rkchat, {group}' for group in GROUPS)} | without reuse |")
    print("|---" * (len(GROUPS) + 4) + "|")
    for turn, without in enumerate(peer):
        prompt, own, *_ = chats[-1][turn]
        row = [turn + 1, prompt, own, *(chat[turn][2] for chat in chats), without[2]]
        print(f"| {' | '.join(map(str, row))} |")
    waits = [sum(turn[3] for turn in turns) for turns in (*chats, peer)]
    print(f"| seconds to first tokens, in all | | | {' | '.join(f'{wait:.2f}' for wait in waits)} |")


if __name__ == "__main__":
    main()
