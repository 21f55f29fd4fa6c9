"""``pipeline("text-generation")``, in the shape of transformers'.

Answers are greedy unless ``do_sample`` is set, in the call or in the model's `generation_config.json`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import signature
from itertools import chain
from typing import TYPE_CHECKING, Any, Union

from ._errors import InvalidArgument
from ._native import Model, ModelFolder
from ._pipeline_options import Request, recommended, settings, sort, tell
from ._pipeline_text import Feed, PipelineTokenizer

if TYPE_CHECKING:
    from ._native import Generation
    from ._types import Completion

__all__ = ["pipeline", "TextGenerationPipeline"]

TASK = "text-generation"

# What tells transformers where and how to compute, and which other files to load.
IGNORED = frozenset(
    "attn_implementation binary_output config device device_map dtype feature_extractor framework image_processor"
    " model_kwargs pipeline_class processor revision token tokenizer torch_dtype trust_remote_code use_auth_token"
    " use_fast video_processor".split()
)

# Options of `Model.open` that are not also those of an answer.
OPENING = signature(Model.open).parameters.keys() - signature(Model.generate).parameters.keys() - {"path"}

Chat = Sequence[Mapping[str, Any]]
Input = Union[str, Chat]


def pipeline(
    task: str | None = None,
    model: str | os.PathLike[str] | Model | None = None,
    **options: Any,
) -> TextGenerationPipeline:
    """Makes a pipeline as transformers' function of that name does.

    Args:
        task: `"text-generation"`, which is the only one there is.
        model: What `Model.open` takes, or a `Model`, for which all options of `Model.open` are there.
        options: Options of `Model.open`, and defaults for the calls of the pipeline. Those that tell transformers where and how to
            compute (`device_map`, `dtype`, `trust_remote_code` ...) are ignored, with a warning.
    """
    if task not in (None, TASK):
        raise InvalidArgument(f"`task`: there is no {task!r} here, only {TASK!r}")
    if model is None:
        raise InvalidArgument("`model` is missing: a model's path or Hub id, or an rkchat.Model")
    ignored = sorted(name for name in IGNORED & options.keys() if options[name] is not None)
    if ignored:
        tell(f"rkchat has no use for these options, which are ignored: {', '.join(ignored)}")
    return TextGenerationPipeline(model, **{name: options[name] for name in options.keys() - IGNORED})


class TextGenerationPipeline:
    """Goes on with texts, and answers conversations.

    It takes what transformers' pipeline of that name takes, and every option of `Model.generate`. A
    stop string is not part of the answer. Requests run one after the other.
    """

    __module__ = "rkchat"  # What tracebacks show.
    task = TASK
    model: Model
    """The model. `pipe.model.close()` frees it."""
    tokenizer: PipelineTokenizer
    """What model cards use of a tokenizer."""

    def __init__(self, model: str | os.PathLike[str] | Model, **options: Any) -> None:
        if isinstance(model, Model):
            self._options = options
            self.model = model
            self._recommended = recommended(model.info().path)
        else:
            opening = {name: value for name, value in options.items() if name in OPENING}
            self._options = {name: value for name, value in options.items() if name not in OPENING}
            self._recommended = recommended(ModelFolder.open(model).info().path)
            # Before 1.3.0 sampling is fixed when a model is opened; what a call asks for is honoured
            # all the same.
            first = settings({**self._recommended, **options})
            self.model = Model.open(model, **{"fixed_sampling": "reload", **first, **opening})
        self.tokenizer = PipelineTokenizer(self.model)

    def __call__(self, text_inputs: Input | Iterable[Input], **options: Any) -> Any:
        """Gives a list with one dict for each answer; for several inputs, a list of such lists.

        Its `generated_text` is the text with the answer after it; for messages, these and the
        assistant's message. With `return_full_text=False` it is the text of the answer alone, with the
        reasoning and the calls of tools that the message has apart.

        Args:
            text_inputs: A text, the messages of a conversation, or several of them. For a generator
                of them, a generator is given back.
            options: `max_new_tokens` (256), `max_length`, `do_sample`, `temperature`, `top_k`, `top_p`,
                `min_p`, `repetition_penalty`, `stop_strings`, `num_return_sequences`, `return_full_text`,
                `continue_final_message`, `tools`, `documents`, `tokenizer_encode_kwargs`, `streamer`, ...
        """
        request = sort({**self._options, **options}, self._recommended, self.tokenizer)
        if isinstance(text_inputs, (str, bytes, Mapping)) or not isinstance(text_inputs, Iterable):
            return self._answers(text_inputs, request)
        lazy = isinstance(text_inputs, Iterator)
        inputs = iter(text_inputs)
        first = next(inputs, None)
        if first is None:
            return []
        inputs = chain([first], inputs)
        if isinstance(first, Mapping):
            return self._answers(list(inputs), request)
        answers = (self._answers(each, request) for each in inputs)
        return answers if lazy else list(answers)

    def _answers(self, given: Any, request: Request) -> list[dict[str, Any]]:
        if isinstance(given, str):
            return [self._continued(given, request) for _ in range(request.count)]
        if isinstance(given, (list, tuple)) and given and all(isinstance(message, Mapping) for message in given):
            return [self._answered(list(given), request) for _ in range(request.count)]
        raise InvalidArgument(f"`text_inputs`: neither a text nor the messages of a conversation: {given!r:.80}")

    def _continued(self, text: str, request: Request) -> dict[str, Any]:
        prompt = request.prefix + text

        def tokens() -> list[int]:
            return self.model.encode(prompt)

        generation = self.model.complete(prompt, **request.for_text(tokens))
        answer = self._run(generation, request, lambda: prompt, tokens)
        return {"generated_text": text + answer.text if request.full_text else answer.text}

    def _answered(self, messages: list[Any], request: Request) -> dict[str, Any]:
        goes_on = request.goes_on(messages)

        def prompt() -> str:
            return self.model.render(
                messages, add_generation_prompt=not goes_on, continue_final_message=goes_on, **request.template
            )

        def tokens() -> list[int]:
            return self.model.encode(prompt(), add_special_tokens=False)

        options = request.for_chat(tokens)
        generation = self.model.generate(messages, continue_final_message=goes_on, **options)
        answer = self._run(generation, request, prompt, tokens)
        if not request.full_text:
            return {"generated_text": self._raw(answer)}
        if not goes_on:
            return {"generated_text": [*messages, answer.message]}
        last = dict(messages[-1])
        content = last.get("content")
        if isinstance(content, list):
            last["content"] = [*content, {"type": "text", "text": answer.text}]
        else:
            last["content"] = (content or "") + answer.text
        return {"generated_text": [*messages[:-1], last]}

    def _raw(self, answer: Completion) -> str:
        """The answer with what was read out of it, where its tokens are known."""
        known = answer.token_ids and self.model.info().tokenizer_source
        if known and (answer.reasoning or answer.tool_calls):
            return self.model.decode(answer.token_ids, skip_special_tokens=True)
        return answer.text

    def _run(
        self, generation: Generation, request: Request, prompt: Callable[[], str], tokens: Callable[[], list[int]]
    ) -> Completion:
        # Left early, by Ctrl-C or by an error of the streamer's, it is cancelled.
        with generation:
            if request.streamer is not None:
                Feed(request.streamer, self.model).all(generation, prompt, tokens)
            answer = generation.completion()
        for warning in answer.warnings:
            tell(warning.message)
        return answer
