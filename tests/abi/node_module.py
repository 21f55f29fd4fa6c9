"""Writes a group's declarations as a Node module for koffi: `declare(koffi, path)` gives the functions."""

from facts import Field, Function, Group

BASIC = {
    "int8_t": "int8",
    "int32_t": "int32",
    "uint8_t": "uint8",
    "uint32_t": "uint32",
    "uint64_t": "uint64",
    "char *": "const char *",
}


def module(group: Group) -> str:
    callbacks = {function.name for function in group.callbacks}
    lines = [f"export const {name} = {value};" for name, value in group.macros.items()]
    for values in group.enums.values():
        lines += [f"export const {value} = {number};" for value, number in values.items()]
    lines += ["export function declare(koffi, path) {", "koffi.alias('LLMHandle', 'void *');"]
    lines += [f"koffi.alias('{name}', 'uint32');" for name in group.enums]
    # Structs that callbacks point to come first; a struct with callbacks in it comes after them.
    late = [struct for struct in group.structs if any(f.type in callbacks for f in struct.fields)]
    for struct in group.structs:
        if struct not in late:
            lines += definition(struct, callbacks)
    lines += [f"koffi.proto('{prototype(function, callbacks)}');" for function in group.callbacks]
    for struct in late:
        lines += definition(struct, callbacks)
    lines += ["const library = koffi.load(path);", "return {"]
    for function in group.functions:
        lines.append(f"{function.name}: library.func('{prototype(function, callbacks)}'),")
    return "\n".join([*lines, "};", "}"]) + "\n"


def definition(struct, callbacks: set[str]) -> list[str]:
    name = struct.name
    lines = [
        f"koffi.struct('{name}', {members(struct.fields, callbacks)});",
        f"if (koffi.sizeof('{name}') !== {struct.size}) throw new Error('{name}');",
    ]
    for member in struct.fields:
        if member.union is None:
            place = f"koffi.offsetof('{name}', '{member.name}')"
            lines.append(f"if ({place} !== {member.offset}) throw new Error('{name}.{member.name}');")
    return lines


def members(fields: list[Field], callbacks: set[str]) -> str:
    """An object with the types; the members of an unnamed union are in one that is named `union`."""
    entries, united = [], [f for f in fields if f.union is not None]
    for member in fields:
        if member.union is not None:
            if member is united[0]:
                plain = [Field(f.name, f.type, f.offset) for f in united]
                entries.append(f"union: koffi.union({members(plain, callbacks)})")
        elif member.fields:
            entries.append(f"{member.name}: koffi.struct({members(member.fields, callbacks)})")
        elif member.length is not None:
            entries.append(f"{member.name}: koffi.array('{kind(member.type, callbacks)}', {member.length})")
        else:
            entries.append(f"{member.name}: '{kind(member.type, callbacks)}'")
    return "{ " + ", ".join(entries) + " }"


def prototype(function: Function, callbacks: set[str]) -> str:
    params = [f"{out(kind(param, callbacks))} {name}" for name, param in function.params]
    return f"{kind(function.returns, callbacks)} {function.name}({', '.join(params)})"


def out(kind: str) -> str:
    """The handle is the only thing that a function writes through a pointer and these programs read."""
    return f"_Out_ {kind}" if kind == "LLMHandle *" else kind


def kind(c_type: str, callbacks: set[str]) -> str:
    if c_type in callbacks:
        return f"{c_type} *"
    return BASIC.get(c_type, c_type)
