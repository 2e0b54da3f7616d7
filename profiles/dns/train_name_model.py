#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes name_model.cc: how surprising a character is after the one before it in names that people made, in sixteenths
of a bit. Learnt from the public suffix list (Debian package publicsuffix), service names of /etc/services, and the words
and names of this repository's documentation and catalogues. Usage: train_name_model.py > name_model.cc"""
import glob
import math
import os
import re

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"  # and one more row and column for the ends of a label
END = len(LETTERS)
PRIOR = 0.4  # seen this often before anything was seen


def labels():
    with open("/usr/share/publicsuffix/public_suffix_list.dat", encoding="utf-8") as file:
        for line in file:
            if not line.startswith("//"):
                yield from re.findall(r"[a-z0-9-]+", line.lower()) if line.isascii() else ()
    texts = ["/etc/services", *glob.glob(f"{REPO}/docs/*.md"), *glob.glob(f"{REPO}/deploy/catalogue/*.yaml"), f"{REPO}/README.md"]
    for path in sorted(texts):
        with open(path, encoding="utf-8") as file:
            for word in sorted(set(re.findall(r"[a-z][a-z0-9-]+", file.read().lower()))):
                yield word.strip("-")


def main():
    counts = [[PRIOR] * (END + 1) for _ in range(END + 1)]
    for label in sorted(set(labels())):
        if not 2 <= len(label) <= 30:
            continue
        numbers = [END, *(LETTERS.index(c) for c in label), END]
        for before, after in zip(numbers, numbers[1:]):
            counts[before][after] += 1
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Made by train_name_model.py; rows are the character before: a to z, 0 to 9, hyphen, the start of a label.")
    print('#include "profiles/dns/name_shape.h"\n')
    print("namespace postern::profiles::dns {\n")
    print("// clang-format off")
    print("const uint8_t kNameModel[kNameModelSide][kNameModelSide] = {")
    for row in counts:
        total = sum(row)
        bits = [min(255, round(-16 * math.log2(n / total))) for n in row]
        print("  {" + ", ".join(map(str, bits)) + "},")
    print("};")
    print("// clang-format on\n\n}  // namespace postern::profiles::dns")


if __name__ == "__main__":
    main()
