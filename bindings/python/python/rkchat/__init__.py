"""Chat models on Rockchip NPUs, and on any CPU, behind one API.

    import rkchat

    with rkchat.Model.open("model.gguf") as model:
        messages = [{"role": "user", "content": "Who are you?"}]
        for chunk in model.generate(messages, max_new_tokens=256):
            print(chunk.text, end="", flush=True)

Every object may be shared between threads. Every error is an `RkchatError`.
"""

from . import _native, _types
from ._errors import *
from ._native import *
from ._types import *

if _native._SURFACE != _types._SURFACE:
    raise ImportError("rkchat's native module is of another version than its Python files: rebuild it")
