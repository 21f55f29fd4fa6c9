"""The package has the whole surface, and its stub says so."""

import ast
import copy
import inspect
import json
import pickle
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import rkchat
from conftest import ROOT
from rkchat import _errors, _surface, _types

SURFACE = json.loads((ROOT / "include" / "surface.lock").read_text())["surface"]

# What Python does in another way than method by method, and why.
EXCEPTIONS = {
    "Generation.poll": "async for is it: `__anext__`, over `_begin`, `_poll` and `_end`",
    "Model.complete_ids": "`complete` takes text or ids",
    "Model.logits_ids": "`logits` takes text or ids",
    "Model.score_ids": "`score` takes text or ids",
}
# Options that have a type in the stub besides the surface's.
ADDITIONS = {
    "Model": {"__enter__", "__exit__"},
    "Generation": {"next", "__iter__", "__next__", "__aiter__", "__anext__", "__await__", "__enter__", "__exit__"},
}
# What stands in Python alone, and why.
BY_HAND = {
    "pipeline": "transformers' function of that name; other languages have no transformers",
    "TextGenerationPipeline": "what `pipeline` gives",
}
METHODS = [
    (handle, method) for handle in SURFACE["handles"] for method in handle["methods"] if not method["c_only"]
]
OPTIONS = {options["name"]: options["fields"] for options in SURFACE["options"]}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def stub():
    """The stub's classes, each with its functions by name."""
    tree = ast.parse((Path(rkchat.__file__).parent / "_native.pyi").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {node.name: {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)} for node in classes}


@pytest.mark.parametrize("handle, method", METHODS, ids=lambda value: value["name"])
def test_methods(handle, method):
    name = f"{handle['name']}.{method['name']}"
    function = getattr(getattr(rkchat, handle["name"]), method["name"], None)
    if name in EXCEPTIONS:
        assert function is None
        return
    written = stub()[handle["name"]][method["name"]]
    if method["property"]:
        assert [ast.unparse(decorator) for decorator in written.decorator_list] == ["property"]
        assert inspect.isdatadescriptor(function)
        assert inspect.getdoc(function).split() == ast.get_docstring(written).split()
        return
    expected = [] if method["is_static"] else ["self"]
    for param in method["params"]:
        if param["type"]["kind"] == "options":
            expected += [field["name"] for field in OPTIONS[param["type"]["name"]]]
        else:
            expected.append(param["name"])
    if f"{name}_ids" in EXCEPTIONS:
        expected[1] = "prompt"
    if method["handwritten"] is None:
        assert list(inspect.signature(function).parameters) == expected
    assert same_signature(written, function)
    assert inspect.getdoc(function).split() == ast.get_docstring(written).split() or method["handwritten"]


def same_signature(written, function):
    """Whether the stub's names, kinds and defaults are those of the module."""
    source = ast.Module([copy.deepcopy(written)], [])
    for node in list(ast.walk(source)):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list, node.returns, node.body = [], None, [ast.Pass()]
        elif isinstance(node, ast.arg):
            node.annotation = None
    scope = {}
    exec(compile(ast.fix_missing_locations(source), "stub", "exec"), scope)
    there = inspect.signature(scope[written.name]).parameters.values()
    here = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in there] == [(p.name, p.default) for p in here]


def test_what_only_c_has_is_not_here():
    only = {
        f"{handle['name']}.{method['name']}": method["c_only"]
        for handle in SURFACE["handles"]
        for method in handle["methods"]
        if method["c_only"]
    }
    assert "Model.generate_messages" in only
    assert not any(hasattr(getattr(rkchat, name.split(".")[0]), name.split(".")[1]) for name in only)


def test_version():
    cargo = (ROOT / "Cargo.toml").read_text()
    assert f'version = "{rkchat.__version__}"' in cargo


def test_nothing_more_than_the_surface():
    names = {record["name"] for kind in ("enums", "records", "handles") for record in SURFACE[kind]}
    names |= set(_errors.__all__) | {"Json", "SupportsArray", "Tensor", "TensorLike"} | BY_HAND.keys()
    assert {name for name in dir(rkchat) if not name.startswith("_")} == names
    assert set(EXCEPTIONS) <= {f"{handle['name']}.{method['name']}" for handle, method in METHODS}
    for handle in SURFACE["handles"]:
        methods = {method["name"] for method in handle["methods"]}
        known = methods | ADDITIONS.get(handle["name"], set())
        own = {name for name in vars(getattr(rkchat, handle["name"])) if name in stub()[handle["name"]]}
        private = {name for name in own if name.startswith("_") and not name.startswith("__")}
        assert own - private <= known
        assert {name for name in stub()[handle["name"]]} - private <= known


def test_what_stands_in_python_is_loaded_at_its_first_use():
    program = """
import sys
before = set(sys.modules)
import rkchat
print(sorted(set(sys.modules) - before))
assert "Chunk" in dir(rkchat) and not hasattr(rkchat, "Chonk")
from rkchat import *
assert Chunk is rkchat.Chunk and issubclass(Busy, RkchatError) and Json is rkchat.Json
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == ["rkchat", "rkchat._native", "rkchat._surface"]
    assert (list(_surface.ERRORS), list(_surface.TYPES)) == (_errors.__all__, _types.__all__)
    record = rkchat.SpecialToken(("eos_token",), "</s>", 2)
    assert pickle.loads(pickle.dumps(record)) == record
    with pytest.raises(AttributeError, match="module 'rkchat' has no attribute 'Chonk'"):
        rkchat.Chonk


def test_files_of_two_versions_are_refused():
    program = """
import sys, types
sys.modules["rkchat._surface"] = types.SimpleNamespace(ERRORS=(), TYPES=(), HASH="another")
import rkchat
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError: rkchat's native module is of another version" in done.stderr


def test_records_and_enums():
    for record in SURFACE["records"]:
        names = [field["name"] for field in record["fields"]]
        assert [field.name for field in fields(getattr(rkchat, record["name"]))] == names
    for enum in SURFACE["enums"]:
        values = [snake(variant["name"]) for variant in enum["variants"]]
        assert [str(member) for member in getattr(rkchat, enum["name"])] == values


def test_errors():
    classes = [getattr(rkchat, name) for name in _errors.__all__[2:]]
    assert len(classes) == len(SURFACE["errors"])
    for error, exception in zip(SURFACE["errors"], classes):
        assert exception.__name__ in (error["name"], error["name"] + "Error")
        assert exception.kind == snake(error["name"])
        assert exception.__mro__[2].__name__ in (error["python"], "RkchatError")
        assert error["python"] in [base.__name__ for base in exception.__bases__]
        assert exception.__module__ == "rkchat" and exception.__doc__
