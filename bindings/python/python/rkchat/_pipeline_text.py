"""Between text and tokens in a pipeline: what model cards use of a tokenizer, and streamers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._types import ChunkKind

if TYPE_CHECKING:
    from ._native import Generation, Model


class PipelineTokenizer:
    """A model's tokenizer and template by the names that transformers has for them."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def eos_token_id(self) -> int | None:
        """The first of the tokens that end an answer."""
        return next(iter(self._model.info().stop_ids), None)

    @property
    def eos_token(self) -> str | None:
        """Its text."""
        return None if self.eos_token_id is None else self._model.decode([self.eos_token_id])

    # Nothing is padded here; model cards set the one to the other.
    pad_token_id = eos_token_id
    pad_token = eos_token

    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> Any:
        """The id of a token by its text, or of several; None for what is no token."""
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        ids = self._model.encode(tokens, add_special_tokens=False)
        return ids[0] if len(ids) == 1 else None

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        """Text to token ids."""
        return self._model.encode(text, add_special_tokens=add_special_tokens)

    def decode(self, token_ids: Any, skip_special_tokens: bool = False, **_: Any) -> str:
        """Token ids to text."""
        return self._model.decode(list(token_ids), skip_special_tokens=skip_special_tokens)

    def apply_chat_template(
        self,
        conversation: Any,
        *,
        tokenize: bool = True,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        tools: Any = None,
        documents: Any = None,
        enable_thinking: bool | None = None,
        **variables: Any,
    ) -> Any:
        """The prompt for messages: its token ids, or its text where `tokenize` is false."""
        text = self._model.render(
            conversation,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=continue_final_message,
            tools=tools,
            documents=documents,
            enable_thinking=enable_thinking,
            variables=variables or None,
        )
        return self.encode(text, add_special_tokens=False) if tokenize else text

    def stop_strings(self, ids: Sequence[Any]) -> list[str]:
        """The texts of tokens that are to end an answer, and do not end it anyhow."""
        known = self._model.info().stop_ids
        return [self._model.decode([token]) for token in ids if token is not None and token not in known]


class TokenIds(list):
    """Token ids, with as much of a tensor as streamers use."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""
        inner = self[0].shape if self and isinstance(self[0], TokenIds) else ()
        return (len(self), *inner)

    def tolist(self) -> list[Any]:
        """The ids as a list."""
        return [each.tolist() if isinstance(each, TokenIds) else each for each in self]

    def cpu(self) -> TokenIds:
        """Itself; it is nowhere else."""
        return self


class Feed:
    """Hands an answer to a streamer as it comes.

    One that takes text (`on_finalized_text`, which all of transformers' have) gets the text of the
    answer, whatever tokenizer it has. Others get the tokens: `put` those of the prompt, then those of
    each piece.
    """

    def __init__(self, streamer: Any, model: Model) -> None:
        self._streamer = streamer
        self._model = model

    def all(self, generation: Generation, prompt: Callable[[], str], tokens: Callable[[], list[int]]) -> None:
        """Reads the answer to its end."""
        if hasattr(self._streamer, "on_finalized_text"):
            self._text(generation, prompt, tokens)
        else:
            self._tokens(generation, tokens)

    def _text(self, generation: Generation, prompt: Callable[[], str], tokens: Callable[[], list[int]]) -> None:
        give = self._streamer.on_finalized_text
        if not getattr(self._streamer, "skip_prompt", True):
            text = prompt()
            if getattr(self._streamer, "decode_kwargs", {}).get("skip_special_tokens"):
                text = self._model.decode(tokens(), skip_special_tokens=True)
            give(text)
        try:
            for chunk in generation:
                if chunk.kind == ChunkKind.TEXT:
                    give(chunk.text)
        finally:
            # Whoever reads the other end of it on another thread waits for this.
            give("", stream_end=True)

    def _tokens(self, generation: Generation, prompt: Callable[[], list[int]]) -> None:
        self._streamer.put(TokenIds([TokenIds(prompt())]))
        try:
            for chunk in generation:
                if chunk.token_ids:
                    self._streamer.put(TokenIds(chunk.token_ids))
        finally:
            self._streamer.end()
