"""Writes a group's declarations as a ctypes module."""

from facts import Field, Function, Group

BASIC = {
    "bool": "c_bool",
    "float": "c_float",
    "int": "c_int",
    "int8_t": "c_int8",
    "int32_t": "c_int32",
    "size_t": "c_size_t",
    "uint8_t": "c_uint8",
    "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
    "const char *": "c_char_p",
    "char *": "c_char_p",
    "void *": "c_void_p",
}


def module(group: Group) -> str:
    lines = ["from ctypes import *", "", "LLMHandle = c_void_p"]
    lines += [f"{name} = {value}" for name, value in group.macros.items()]
    for name, values in group.enums.items():
        lines.append(f"{name} = c_uint")
        lines += [f"{value} = {number}" for value, number in values.items()]
    lines += [f"class {struct.name}(Structure): pass" for struct in group.structs]
    lines += [callback(function) for function in group.callbacks]
    for struct in group.structs:
        lines += layout(struct.name, struct.fields)
        lines.append(f"assert sizeof({struct.name}) == {struct.size}, '{struct.name}'")
        lines += [
            f"assert {struct.name}.{member.name}.offset == {member.offset}, '{struct.name}.{member.name}'"
            for member in struct.fields
        ]
    lines += ["def load(path):", "    library = CDLL(path)"]
    for function in group.functions:
        params = ", ".join(kind(param) for _, param in function.params)
        lines.append(f"    library.{function.name}.argtypes = [{params}]")
        lines.append(f"    library.{function.name}.restype = {kind(function.returns)}")
    return "\n".join([*lines, "    return library"]) + "\n"


def layout(name: str, fields: list[Field]) -> list[str]:
    """Sets `_fields_`, with classes of their own for what C does not name."""
    lines, entries, unnamed = [], [], []
    for member in fields:
        if member.union is not None:
            inner = f"{name}_{member.union}"
            if inner not in unnamed:
                inside = [f for f in fields if f.union == member.union]
                lines.append(f"class {inner}(Union): _fields_ = [{', '.join(map(entry, inside))}]")
                entries.append(f"('{inner}', {inner})")
                unnamed.append(inner)
        elif member.fields:
            inner = f"{name}_{member.name}"
            inside = ", ".join(map(entry, member.fields))
            lines.append(f"class {inner}(Structure): _fields_ = [{inside}]")
            entries.append(f"('{member.name}', {inner})")
        else:
            entries.append(entry(member))
    if unnamed:
        lines.append(f"{name}._anonymous_ = {unnamed}")
    return [*lines, f"{name}._fields_ = [{', '.join(entries)}]"]


def entry(member: Field) -> str:
    length = "" if member.length is None else f" * {member.length}"
    return f"('{member.name}', {kind(member.type)}{length})"


def callback(function: Function) -> str:
    kinds = ", ".join(kind(param) for param in [function.returns, *(p for _, p in function.params)])
    return f"{function.name} = CFUNCTYPE({kinds})"


def kind(c_type: str) -> str:
    if c_type == "void":
        return "None"
    if c_type in BASIC:
        return BASIC[c_type]
    bare = c_type.removeprefix("const ")
    if bare.endswith("*"):
        return f"POINTER({kind(bare[:-1].strip())})"
    return bare
