"""Chat models on Rockchip NPUs, and on any CPU, behind one API.

    import rkchat

    with rkchat.Model.open("model.gguf") as model:
        messages = [{"role": "user", "content": "Who are you?"}]
        for chunk in model.generate(messages, max_new_tokens=256):
            print(chunk.text, end="", flush=True)

Every object may be shared between threads. Every error is an `RkchatError`.
"""

from . import _native, _surface
from ._native import *
from ._native import __version__

_PIPELINE = ("pipeline", "TextGenerationPipeline")

__all__ = [*_surface.ERRORS, *_native.__all__, *_surface.TYPES, *_PIPELINE]

if _native._SURFACE != _surface.HASH:
    raise ImportError("rkchat's native module is of another version than its Python files: rebuild it")


def __getattr__(name: str) -> object:
    # What stands in Python is loaded at its first use: it and what it imports (dataclasses, enum,
    # typing) take most of the time that an import would. Type checkers read __init__.pyi instead.
    if name in _surface.ERRORS:
        from . import _errors as module
    elif name in _surface.TYPES:
        from . import _types as module
    elif name in _PIPELINE:
        from . import _pipeline as module
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals().update((each, getattr(module, each)) for each in module.__all__)
    return globals()[name]


def __dir__() -> list:
    return sorted({*globals(), *__all__})
