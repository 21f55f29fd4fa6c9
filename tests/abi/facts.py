"""The facts of one ABI group, read from vendor/v<group>.json: compiler output over the vendor's header."""

import json
from dataclasses import dataclass, field
from pathlib import Path

# The groups with the newest release of each as one number.
GROUPS = {
    "1.0.0": 10000,
    "1.0.1": 10002,
    "1.1.0": 10104,
    "1.2.0": 10200,
    "1.2.1b1": 10200,
    "1.2.1": 10203,
    "1.3.0": 10300,
}

# What `platform.machine()` is called there.
TARGETS = {
    "x86_64": "x86_64-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "armv7l": "arm-linux-gnueabihf",
    "armv8l": "arm-linux-gnueabihf",
}


@dataclass
class Field:
    """A member of a struct. Members of an unnamed union share `union`; an unnamed struct has `fields`."""

    name: str
    type: str
    offset: int
    length: int | None = None
    union: str | None = None
    fields: list["Field"] = field(default_factory=list)


@dataclass
class Struct:
    name: str
    size: int
    fields: list[Field]


@dataclass
class Function:
    """A function, or the type of a callback."""

    name: str
    returns: str
    params: list[tuple[str, str]]


@dataclass
class Group:
    name: str
    handle: str
    macros: dict[str, int]
    enums: dict[str, dict[str, int]]
    callbacks: list[Function]
    structs: list[Struct]
    functions: list[Function]


def read(path: Path, machine: str) -> Group:
    facts = json.loads(path.read_text("utf-8"))
    target = TARGETS[machine]
    return Group(
        name=facts["group"],
        handle=facts["opaque_types"]["LLMHandle"]["type"],
        macros={name: macro["value"] for name, macro in facts["macros"].items()},
        enums={name: enum["values"] for name, enum in facts["enums"].items()},
        callbacks=[function(name, entry) for name, entry in facts["callbacks"].items()],
        structs=[
            Struct(name, entry["targets"][target]["size"], fields(entry["fields"], target))
            for name, entry in facts["structs"].items()
        ],
        functions=[function(name, entry) for name, entry in facts["functions"].items()],
    )


def function(name: str, entry: dict) -> Function:
    params = [(param["name"], param["type"]) for param in entry["params"]]
    return Function(name, entry["returns"], params)


def fields(entries: list[dict], target: str) -> list[Field]:
    """The members in order; `a.b` goes into the unnamed struct `a`."""
    found: dict[str, Field] = {}
    for entry in entries:
        outer, _, inner = entry["name"].rpartition(".")
        member = Field(
            name=inner,
            type=entry["type"],
            offset=entry["targets"][target]["offset"],
            length=entry.get("array_len"),
            union=entry.get("union"),
        )
        if outer:
            member.offset -= found[outer].offset
            found[outer].fields.append(member)
        else:
            found[inner] = member
    return list(found.values())
