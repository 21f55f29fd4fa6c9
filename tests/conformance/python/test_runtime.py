"""Which library a file is, and what is said where it is none."""

import copy
import os

import pytest

import rkchat
from conftest import GROUPS, RUNTIMES, SMOLLM2, scripted_runtime

NOBODY = 65534
SCRIPTED = scripted_runtime("1.3.0")


def changed(**bytes_at):
    """A runtime with other numbers in its ELF header: `class_`, `machine`."""
    data = bytearray(SCRIPTED.read_bytes())
    for name, value in bytes_at.items():
        data[{"class_": 4, "machine": 18}[name]] = value
    return bytes(data)


@pytest.mark.parametrize("group", GROUPS)
def test_info(group):
    own = rkchat.Runtime.open(RUNTIMES / group / "librkllmrt.so").info()
    assert (own.name, own.abi_group, own.warnings) == ("rkchat-cpu", group, ())
    assert own.path.is_absolute() and own == copy.deepcopy(own) and "rkchat-cpu" in repr(own)

    # A vendor's that nobody has published; nothing tells these two groups apart but a text in the file.
    info = rkchat.Runtime.open(scripted_runtime(group)).info()
    assert info.name == "rkllm" and info.release is None and info.platform is None
    assert info.abi_group == group or {info.abi_group, group} == {"1.2.0", "1.2.1b1"}
    assert [warning.kind for warning in info.warnings] == ["unknown_runtime"]
    assert "RKCHAT_ABI" in info.warnings[0].message
    assert "exported functions" in info.evidence[0] and "rkllm_createDefaultParam" in info.evidence[1]


@pytest.mark.parametrize(
    "group, can, cannot",
    [
        ("1.0.0", set(), {"abort", "token_input"}),
        ("1.0.1", {"abort", "log_probabilities"}, {"token_input", "token_ids"}),
        ("1.1.0", {"abort", "token_input", "lora"}, {"log_probabilities", "chat_template"}),
        ("1.2.0", {"token_ids", "clear_cache"}, {"pause", "several_models"}),
        ("1.2.1b1", {"several_images"}, {"function_tools"}),
        ("1.2.1", {"function_tools", "pause"}, {"several_models", "run_sampling"}),
        ("1.3.0", {"several_models", "run_sampling"}, {"log_probabilities"}),
    ],
)
def test_capabilities(group, can, cannot):
    info = rkchat.Runtime.open(scripted_runtime(group), abi=group).info()
    assert info.release == group and f"abi says {group}" in info.evidence
    assert can <= set(info.capabilities) and not cannot & set(info.capabilities)


def test_a_wrong_abi():
    with pytest.raises(rkchat.RuntimeAmbiguous, match='abi says 1.2.1.*abi = "1.2.1!" or RKCHAT_ABI=1.2.1!') as caught:
        rkchat.Runtime.open(SCRIPTED, abi="1.2.1")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(rkchat.RuntimeAmbiguous, match="rkchat's own runtime"):
        rkchat.Runtime.open(RUNTIMES / "1.3.0" / "librkllmrt.so", abi="1.1.0")
    with pytest.raises(rkchat.InvalidArgument, match="abi: \"seven\".*1.2.1b1, 1.2.1, 1.2.2"):
        rkchat.Runtime.open(SCRIPTED, abi="seven")


def test_an_abi_that_is_not_checked():
    for options in ({"abi": "1.2.1!"}, {"abi": "1.2.1", "abi_unchecked": True}):
        info = rkchat.Runtime.open(SCRIPTED, **options).info()
        assert (info.abi_group, info.release) == ("1.2.1", "1.2.1")
        assert "abi says 1.2.1, unchecked" in info.evidence
    # The file tells without being asked that it is not this.
    info = rkchat.Runtime.open(SCRIPTED, abi="1.1.0!").info()
    assert info.abi_group == "1.1.0" and "because abi says so" in info.warnings[0].message
    with pytest.raises(rkchat.InvalidArgument, match="abi_unchecked"):
        rkchat.Runtime.open(SCRIPTED, abi_unchecked=True)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"not a library", 'it is not a shared library .ELF.: it begins with "not a library"'),
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS"),
        (lambda: SCRIPTED.read_bytes()[:1_000_000], r"the file is cut off: .* there are 1000000; copy or download"),
        (lambda: changed(class_=1, machine=3), "it is a 32-bit library and this is a 64-bit program"),
        (lambda: changed(machine=183), "it is built for AArch64 .64-bit Arm., .* runs on x86-64: .* use a GGUF model"),
    ],
    ids=["text", "empty", "page", "pointer", "cut", "narrow", "board"],
)
def test_files_that_are_no_runtime(tmp_path, content, message):
    path = tmp_path / "librkllmrt.so"
    path.write_bytes(content() if callable(content) else content)
    for use in (lambda: rkchat.Runtime.open(path), lambda: rkchat.Model.open(SMOLLM2, runtime=path)):
        with pytest.raises(rkchat.RuntimeInvalid, match=message) as caught:
            use()
        assert isinstance(caught.value, OSError) and str(path) in str(caught.value) == caught.value.message


def test_other_things_that_are_no_runtime(tmp_path):
    with pytest.raises(rkchat.RuntimeInvalid, match="it is a folder; name the librkllmrt.so in it"):
        rkchat.Runtime.open(tmp_path)
    with pytest.raises(rkchat.RuntimeInvalid, match="it does not export .*rkllm_init"):
        rkchat.Runtime.open("/lib/x86_64-linux-gnu/libm.so.6")
    with pytest.raises(rkchat.RuntimeNotFound, match="there is no such file.*rkchat runtime get") as caught:
        rkchat.Model.open(SMOLLM2, runtime=tmp_path / "missing.so")
    assert isinstance(caught.value, FileNotFoundError)


def test_a_runtime_that_may_not_be_read(tmp_path):
    path = tmp_path / "librkllmrt.so"
    path.write_bytes(SCRIPTED.read_bytes())
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        with pytest.raises(rkchat.Io, match="permission denied; .* ls -l"):
            rkchat.Runtime.open(path)
    finally:
        if is_root:
            os.seteuid(0)
