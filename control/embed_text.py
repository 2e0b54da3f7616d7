#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a C++ file that holds text files, so that the daemon needs no path to them.
embed_text.py OUT NAME=FILE... --list NAME FILE...: a function per NAME, the last of them for several files."""
import os
import sys


def literal(path):
    with open(path, encoding="utf-8") as source:
        text = source.read()
    # Raw strings have a length limit in some compilers: pieces of 8,000 characters.
    pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n".join(f'R"embedded({piece})embedded"' for piece in pieces)


def main():
    out, *words = sys.argv[1:]
    at = words.index("--list")
    pairs, list_name, files = words[:at], words[at + 1], words[at + 2:]
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "control/embedded_text.h"\n\nnamespace postern::control {\n')
        for pair in pairs:
            name, path = pair.split("=", 1)
            f.write(f"\nstd::string_view {name}() {{\n  return {literal(path)};\n}}\n")
        entries = "".join(f'      {{"{os.path.basename(path)}", {literal(path)}}},\n' for path in files)
        f.write(f"\nstd::span<const EmbeddedFile> {list_name}() {{\n"
                f"  static constexpr EmbeddedFile kFiles[] = {{\n{entries}  }};\n  return kFiles;\n}}\n")
        f.write("\n}  // namespace postern::control\n")


main()
