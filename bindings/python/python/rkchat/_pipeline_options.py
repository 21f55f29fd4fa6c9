"""What a pipeline's options mean: transformers' names and defaults, in ours."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import InvalidArgument, Unsupported

if TYPE_CHECKING:
    from ._pipeline_text import PipelineTokenizer

# How transformers samples where nothing is said; and ours, greedy.
SAMPLING = {"temperature": 1.0, "top_k": 50, "top_p": 1.0}
GREEDY = {"top_k": 1}
# What counts only where `do_sample` is set.
SAMPLED = ("temperature", "top_k", "top_p", "min_p")
# As long as transformers' pipeline goes on where nothing is said.
MAX_NEW_TOKENS = 256

# What makes no difference for one request at a time, and text that is given as it is.
MEANINGLESS = (
    *("batch_size", "bos_token_id", "clean_up_tokenization_spaces", "decoder_start_token_id", "num_workers"),
    *("pad_token_id", "padding", "skip_special_tokens", "truncation", "use_cache"),
)
# Options of `apply_chat_template` with names of their own here; others are variables of the template.
OF_TEMPLATE = ("tools", "documents", "enable_thinking", "now", "variables", "template_name", "untrusted_content")
OF_TOKENIZER = ("add_special_tokens", "max_length", "padding", "truncation")


def recommended(model: Path) -> dict[str, Any]:
    """Reads what counts here from the `generation_config.json` beside a model; rkchat has checked it."""
    try:
        config = json.loads((model.parent / "generation_config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    names = ("do_sample", *SAMPLED, "repetition_penalty", "max_new_tokens", "max_length")
    return {name: config[name] for name in names if config.get(name) is not None}


def settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """The sampling settings that rkchat is asked for."""
    chosen = dict(GREEDY)
    if options.get("do_sample"):
        given = {name: options[name] for name in SAMPLED if options.get(name) is not None}
        chosen = {**SAMPLING, **given}
        if chosen["top_k"] == 0:
            # All tokens, in transformers; as many as can be asked for, here.
            chosen["top_k"] = 1_000_000
    penalty = options.get("repetition_penalty")
    chosen["repeat_penalty"] = 1.0 if penalty is None else penalty
    return chosen


@dataclass(frozen=True)
class Request:
    """What a call asks for."""

    generate: dict[str, Any]
    """Options of `Model.generate` that `Model.complete` has too."""
    template: dict[str, Any]
    """Options of `Model.generate` and `Model.render`, for messages only."""
    max_length: int | None
    """How long prompt and answer may be together, where that is said."""
    full_text: bool = True
    continue_final_message: bool | None = None
    prefix: str = ""
    count: int = 1
    streamer: Any = None
    of_chat: dict[str, Any] = field(default_factory=dict)
    """Options of `Model.generate` alone."""

    def goes_on(self, messages: Sequence[Any]) -> bool:
        """Whether the answer goes on with the last message: where it is the assistant's, unless told."""
        if self.continue_final_message is None:
            return messages[-1].get("role") == "assistant"
        return self.continue_final_message

    def for_text(self, tokens: Callable[[], list[int]]) -> dict[str, Any]:
        """Options of `Model.complete`, for a prompt of these tokens."""
        if self.max_length is None:
            return self.generate
        room = self.max_length - len(tokens())
        if room <= 0:
            prompt = self.max_length - room
            raise InvalidArgument(f"`max_length`: the prompt alone has {prompt} tokens; max_new_tokens counts without it")
        return {**self.generate, "max_new_tokens": room}

    def for_chat(self, tokens: Callable[[], list[int]]) -> dict[str, Any]:
        """Options of `Model.generate`."""
        return {**self.for_text(tokens), **self.template, **self.of_chat}


def sort(options: dict[str, Any], config: Mapping[str, Any], tokenizer: PipelineTokenizer) -> Request:
    """Sorts a call's options. Those that are not known are left for `Model.generate` to refuse."""
    options = {**generation_config(options.pop("generation_config", None)), **options}
    rest = {name: value for name, value in options.items() if value is not None and name not in MEANINGLESS}
    take = rest.pop
    full_text = output(take("return_full_text", None), take("return_text", None), take("return_tensors", None))

    asked = {name: take(name) for name in ("do_sample", *SAMPLED, "repetition_penalty") if name in rest}
    sampling = {**config, **asked}
    if not sampling.get("do_sample"):
        unused = [name for name in SAMPLED if name in asked]
        if unused:
            tell(f"greedy unless do_sample is set, so without effect: {', '.join(unused)}")
    count = take("num_return_sequences", 1)
    if count > 1 and not sampling.get("do_sample"):
        raise InvalidArgument("`num_return_sequences`: greedy answers are all the same; set do_sample")
    if take("num_beams", 1) != 1:
        raise Unsupported("`num_beams`: no runtime has beam search")

    max_length = take("max_length", None)
    if "max_new_tokens" in rest:
        max_length = None
    elif max_length is None:
        rest["max_new_tokens"] = config.get("max_new_tokens", MAX_NEW_TOKENS)

    stops = [text for name in ("stop_strings", "stop_sequence") for text in several(take(name, []))]
    stops += tokenizer.stop_strings(several(take("eos_token_id", [])))
    if stops:
        rest["stop_strings"] = stops

    encode = dict(take("tokenizer_encode_kwargs", {}))
    template = {name: take(name) for name in OF_TEMPLATE if name in rest}
    template.update((name, encode.pop(name)) for name in OF_TEMPLATE if name in encode)
    if "chat_template" in encode:
        template["template_name"] = encode.pop("chat_template")
    variables = {name: value for name, value in encode.items() if name not in OF_TOKENIZER}
    if variables:
        template["variables"] = {**template.get("variables", {}), **variables}

    return Request(
        full_text=full_text,
        continue_final_message=take("continue_final_message", None),
        prefix=take("prefix", ""),
        count=count,
        streamer=take("streamer", None),
        max_length=max_length,
        template=template,
        of_chat={name: take(name) for name in ("tool_choice", "tool_format") if name in rest},
        generate={**rest, **settings(sampling)},
    )


def generation_config(config: Any) -> dict[str, Any]:
    """What a `GenerationConfig` of transformers sets, or a dict."""
    given = config.to_diff_dict() if hasattr(config, "to_diff_dict") else dict(config or {})
    return {name: value for name, value in given.items() if name != "transformers_version"}


def output(full_text: bool | None, text: bool | None, tensors: bool | None) -> bool:
    """Whether the whole text is wanted; what excludes what is as in transformers."""
    if full_text is not None and text is not None:
        raise InvalidArgument("`return_text` and `return_full_text` exclude each other")
    if tensors:
        raise Unsupported("`return_tensors`: there are no tensors here; token_ids of a completion has the tokens")
    return full_text is not False


def several(value: Any) -> list[Any]:
    """One or several, as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def tell(message: str) -> None:
    """Warns whoever called rkchat."""
    level = 1
    while sys._getframe(level).f_globals.get("__name__", "").startswith("rkchat."):
        level += 1
    warnings.warn(message, stacklevel=level + 1)
