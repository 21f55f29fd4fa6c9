"""Which runtime is taken, of those on this machine. Each search is a process with an environment of its own."""

import json

import pytest

from conftest import runtime_of, scripted_runtime, write_script

FIND = """
import json
try:
    info = rkchat.Runtime.find(**{options}).info()
    found = {{"path": str(info.path), "release": info.release, "why": info.evidence[-1]}}
    found["warnings"] = [[str(warning.kind), warning.message] for warning in info.warnings]
except rkchat.RkchatError as error:
    found = {{"kind": str(error.kind), "message": error.message}}
print(json.dumps(found))
"""

OPEN = """
import json
try:
    model = rkchat.Model.open(**{options}, chat_template="x")
    found = {{"path": str(model.info().runtime.path), "text": model.generate(question).completion().text}}
except rkchat.RkchatError as error:
    found = {{"kind": str(error.kind), "message": error.message}}
print(json.dumps(found))
"""


@pytest.fixture
def find(child, places):
    def find(**options):
        return json.loads(child(FIND.format(options=options), environment=places.environment))

    return find


@pytest.fixture
def two(places):
    """One runtime that was fetched, and one of the system."""
    fetched = runtime_of("1.1.4", "1.1.0", places.store / "1.1.4")
    return fetched, runtime_of("1.2.3", "1.2.1", places.library)


def test_the_one_that_fits_is_taken(find, two):
    found = find(model_version="1.1.2")
    assert (found["path"], found["release"]) == (str(two[0]), "1.1.4")
    why = "runtime 1.1.4 was taken for a model of version 1.1.2: the same minor version and not older"
    assert found["why"] == why and [kind for kind, _ in found["warnings"]] == ["unknown_runtime"]

    found = find(model_version="1.2.2")
    assert (found["path"], found["release"]) == (str(two[1]), "1.2.3")


def test_without_a_version_the_newest_is_taken(find, two):
    found = find()
    assert found["path"] == str(two[1]) and "newest" in found["why"]


def test_a_doubtful_pair_is_a_warning(find, places):
    runtime_of("1.2.3", "1.2.1", places.library)
    warnings = dict(find(model_version="1.1.4")["warnings"])
    assert "[PAD151935]" in warnings["version_pair"]


def test_nothing_there(find):
    found = find(model_version="1.1.4")
    assert found["kind"] == "runtime_not_found" and "rkchat runtime get 1.1.4" in found["message"]
    found = find(model_version="one")
    assert found["kind"] == "invalid_argument" and 'model_version: "one" is not a version' in found["message"]


def test_nothing_that_fits(find, places):
    old = runtime_of("1.1.4", "1.1.0", places.library)
    found = find(model_version="1.2.0")
    assert found["kind"] == "runtime_mismatch" and "rkchat runtime get 1.2.0" in found["message"]
    assert "runtime 1.1.4 for a model of version 1.2.0" in found["message"]
    found = find(model_version="1.2.0", any_version=True)
    assert found["path"] == str(old) and found["why"].startswith("runtime 1.1.4 was forced")
    assert "invalid magic characters" in dict(found["warnings"])["version_pair"]


def test_files_that_are_none_are_passed_over(find, places):
    places.library.mkdir()
    (places.library / "librkllmrt.so").write_text("text")
    found = find()
    assert found["kind"] == "runtime_not_found"
    assert f"Passed over: {places.library}/librkllmrt.so: it is not a shared library" in found["message"]
    places.environment["LD_LIBRARY_PATH"] = "." + ":" + str(scripted_runtime("1.3.0").parent)
    assert find()["path"] == str(scripted_runtime("1.3.0"))


def test_the_variable_comes_first(find, two, places):
    places.environment["RKCHAT_RUNTIME"] = str(scripted_runtime("1.3.0"))
    assert find(model_version="1.1.2")["path"] == str(scripted_runtime("1.3.0"))


def test_a_model_gets_what_fits(child, two, places, tmp_path):
    path = write_script(tmp_path / "scripted", pieces=["a"])
    options = {"path": str(path), "model_version": "1.1.1"}
    found = json.loads(child(OPEN.format(options=options), environment=places.environment))
    assert found == {"path": str(two[0]), "text": "a"}
    # Also one that is named has to fit.
    options = {"path": str(path), "model_version": "1.2.0", "runtime": str(two[0])}
    found = json.loads(child(OPEN.format(options=options), environment=places.environment))
    assert found["kind"] == "runtime_mismatch" and "any_version" in found["message"]
    options["any_version"] = True
    found = json.loads(child(OPEN.format(options=options), environment=places.environment))
    assert found == {"path": str(two[0]), "text": "a"}


def test_a_library_beside_a_model_is_not_loaded(child, find, places, tmp_path):
    folder = tmp_path / "download"
    path = write_script(folder, pieces=["a"])
    beside = runtime_of("1.3.0", "1.3.0", folder)
    for model in (path, folder):
        found = json.loads(child(OPEN.format(options={"path": str(model)}), environment=places.environment))
        assert found["kind"] == "runtime_not_found"
        assert f"{beside}: it lies beside a model and is none of Rockchip's official files" in found["message"]
    assert find(model_folder=str(folder))["kind"] == "runtime_not_found"
    options = {"path": str(folder), "runtime": str(beside)}
    found = json.loads(child(OPEN.format(options=options), environment=places.environment))
    assert found == {"path": str(beside), "text": "a"}
