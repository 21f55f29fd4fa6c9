"""Writes a group's declarations as `rkllm.h`, for C11 and C++11."""

from itertools import groupby

from facts import Field, Function, Group


def header(group: Group) -> str:
    parts = [
        f"/* ABI group {group.name}; written by tests/abi from compiler output. */",
        "#ifndef RKLLM_H\n#define RKLLM_H",
        "#include <assert.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>",
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        "\n".join(f"#define {name} {value}u" for name, value in group.macros.items()),
        f"typedef {group.handle} LLMHandle;",
        *(enum(name, values) for name, values in group.enums.items()),
        "\n".join(f"typedef struct {struct.name} {struct.name};" for struct in group.structs),
        "\n".join(callback(function) for function in group.callbacks),
        *(f"struct {struct.name} {{\n{members(struct.fields)}\n}};" for struct in group.structs),
        "\n".join(checks(group)),
        "\n".join(prototype(function) for function in group.functions),
        "#ifdef __cplusplus\n}\n#endif\n#endif",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def enum(name: str, values: dict[str, int]) -> str:
    lines = ",\n".join(f"    {value} = {number}" for value, number in values.items())
    return f"typedef enum {{\n{lines}\n}} {name};"


def members(fields: list[Field]) -> str:
    lines = []
    for union, run in groupby(fields, key=lambda member: member.union):
        inside = [member_line(member) for member in run]
        lines += inside if union is None else ["union {", *inside, "};"]
    return "\n".join(lines)


def member_line(member: Field) -> str:
    if member.fields:
        return f"struct {{\n{members(member.fields)}\n}} {member.name};"
    length = "" if member.length is None else f"[{member.length}]"
    return f"{member.type} {member.name}{length};"


def callback(function: Function) -> str:
    return f"typedef {function.returns} (*{function.name})({arguments(function)});"


def prototype(function: Function) -> str:
    return f"{function.returns} {function.name}({arguments(function)});"


def arguments(function: Function) -> str:
    return ", ".join(f"{kind} {name}" for name, kind in function.params) or "void"


def checks(group: Group) -> list[str]:
    """The numbers that this text came from, for the compiler that reads it."""
    lines = []
    for struct in group.structs:
        lines.append(f'static_assert(sizeof({struct.name}) == {struct.size}, "{struct.name}");')
        for member in struct.fields:
            place = f"offsetof({struct.name}, {member.name})"
            lines.append(f'static_assert({place} == {member.offset}, "{struct.name}.{member.name}");')
    return lines
