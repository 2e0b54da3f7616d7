#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a C++ file that holds text files, so that the daemon needs no path to them: embed_text.py OUT NAME=FILE..."""
import sys


def literal(text):
    # Raw strings have a length limit in some compilers: pieces of 8,000 characters.
    pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n".join(f'R"embedded({piece})embedded"' for piece in pieces)


def main():
    out, *pairs = sys.argv[1:]
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "control/embedded_text.h"\n\nnamespace postern::control {\n')
        for pair in pairs:
            name, path = pair.split("=", 1)
            with open(path, encoding="utf-8") as source:
                f.write(f"\nstd::string_view {name}() {{\n  return {literal(source.read())};\n}}\n")
        f.write("\n}  // namespace postern::control\n")


main()
