#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Enforces the section "The house" of CONVENTIONS.md, and what its other sections say that a text search can see.
Every finding is one line with file and line; the last line is "N passed, N failed". Warnings fail nothing."""
import argparse
import os
import re
import sys

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Which folders a folder's files may include, besides itself.
MAY_INCLUDE = {
    "base": set(),
    "classify": {"base"},
    "tls": {"base"},
    "profiles": {"base", "classify"},
    "dataplane": {"base", "classify", "tls", "profiles"},
    "control": {"base", "classify", "tls", "profiles", "dataplane"},
}
EVERYTHING = set(MAY_INCLUDE) | {"tests", "perf"}
ABOVE = {"tests", "perf"}

# Who may include a library: (name, pattern of the header, folders). Tests may include what they test with.
LIBRARIES = [
    ("DPDK", re.compile(r"rte_\w+\.h$"), {"dataplane"}),
    ("Hyperscan", re.compile(r"(hs/)?hs(_\w+)?\.h$"), {"classify"}),
    ("OpenSSL", re.compile(r"openssl/"), {"tls"}),
    ("Boost", re.compile(r"boost/"), {"control"}),
    ("nlohmann", re.compile(r"nlohmann/"), {"control"}),
    ("valijson", re.compile(r"valijson/"), {"control"}),
    ("libyaml", re.compile(r"yaml\.h$"), {"control"}),
    ("libpcap", re.compile(r"pcap(/|\.h$)"), {"dataplane"}),
    ("PCRE2", re.compile(r"pcre2\.h$"), {"profiles"}),
    ("llhttp", re.compile(r"(llhttp/)?llhttp\.h$"), {"profiles"}),
]
ONE_FILE_OF_CLASSIFY = {"Hyperscan": "wraps Hyperscan", "rte_acl": "wraps rte_acl"}

MOST_LINES, MANY_LINES, MOST_BASE_HEADERS = 600, 400, 10
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
OTHER_SOURCES = (".py", ".sh", ".build", ".yaml", ".yml", ".service")
SKIPPED = {"build", "build-asan", "__pycache__", "corpus"}


class House:
    def __init__(self, root):
        self.root = root
        self.findings, self.warnings = [], []
        self.owners_in_classify = {}

    def finds(self, path, line, text):
        self.findings.append(f"{os.path.relpath(path, self.root)}:{line}: {text}")

    def files(self, folder, endings):
        for where, folders, names in os.walk(os.path.join(self.root, folder)):
            folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith((".", "build")))
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.join(where, name)

    def include_of_ours(self, path, number, folder, header):
        target = header.split("/")[0]
        if target not in EVERYTHING:
            return
        if folder not in ABOVE and target in ABOVE:
            self.finds(path, number, f"{folder} includes {header}; nothing may see {target}")
        elif folder in MAY_INCLUDE and target != folder and target not in MAY_INCLUDE[folder]:
            seen = ", ".join(sorted(MAY_INCLUDE[folder])) or "nothing"
            self.finds(path, number, f"{folder} includes {header}; it may see {seen}")
        if not any(os.path.exists(os.path.join(self.root, header + ending)) for ending in ("", ".in")):
            self.finds(path, number, f"includes {header}, which does not exist")

    def include_of_library(self, path, number, folder, header):
        for name, pattern, owners in LIBRARIES:
            if not pattern.match(header) or folder in ABOVE:
                continue
            if name == "DPDK" and folder == "classify" and header == "rte_acl.h":
                self.owners_in_classify.setdefault("rte_acl", set()).add(path)
            elif folder not in owners:
                self.finds(path, number, f"{folder} includes {header}; {name} belongs to {', '.join(sorted(owners))}")
            elif name in ONE_FILE_OF_CLASSIFY:
                self.owners_in_classify.setdefault(name, set()).add(path)

    def source(self, path):
        folder = os.path.relpath(path, self.root).split(os.sep)[0]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        lines = text.splitlines()
        product = folder not in ABOVE
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include:
                kind, header = include.groups()
                if kind == '"' and "/" in header:
                    self.include_of_ours(path, number, folder, header)
                elif kind == '"' and product:
                    self.finds(path, number, f'includes "{header}"; say the folder: "{folder}/{header}"')
                self.include_of_library(path, number, folder, header)
            if product and re.match(r"\s*#\s*define\b", line):
                self.finds(path, number, "defines a macro; use a function or a constant")
        if path.endswith(".h") and "#pragma once" not in lines:
            self.finds(path, 1, "has no #pragma once")
        if product and not folder == "control":
            code = COMMENT_OR_TEXT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
            for number, line in enumerate(code.splitlines(), 1):
                if re.search(r"\b(throw|try|catch|dynamic_cast|typeid)\b", line):
                    self.finds(path, number, "uses exceptions or RTTI below control")
        self.text(path, lines)

    def text(self, path, lines):
        """What holds for every file that people write."""
        licences = [n for n, line in enumerate(lines, 1) if re.match(r"^(//|#|--|<!--) SPDX-License-Identifier: ", line)]
        if len(licences) != 1 or licences[0] > 2:
            self.finds(path, licences[0] if licences else 1, "must have one SPDX line, on top")
        if os.path.abspath(path) != os.path.abspath(__file__):
            for number, line in enumerate(lines, 1):
                if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                    self.finds(path, number, "has a TODO; do it or open an issue")
        if len(lines) > MOST_LINES:
            self.finds(path, MOST_LINES + 1, f"has {len(lines)} lines; files stop at {MOST_LINES}")
        elif len(lines) > MANY_LINES:
            self.warnings.append(f"{os.path.relpath(path, self.root)}: {len(lines)} lines; files aim under {MANY_LINES}")

    def base_is_small(self):
        headers = list(self.files("base", (".h",)))
        if len(headers) > MOST_BASE_HEADERS:
            self.finds(headers[-1], 1, f"base has {len(headers)} headers; at most {MOST_BASE_HEADERS}")

    def one_wrapper_each(self):
        for name, paths in self.owners_in_classify.items():
            for path in sorted(paths)[1:]:
                self.finds(path, 1, f"a second file of classify {ONE_FILE_OF_CLASSIFY[name]}; one file may")

    def no_code_in(self, folder):
        for path in self.files(folder, (".cc", ".h", ".cpp", ".hpp", ".c")):
            self.finds(path, 1, f"{folder} holds no C++")


def inspect(root):
    """The house at `root`, and how many files were looked at."""
    house = House(root)
    seen = 0
    for folder in [*MAY_INCLUDE, "tests", "perf"]:
        for path in house.files(folder, (".cc", ".h")):
            house.source(path)
            seen += 1
    for path in house.files(".", OTHER_SOURCES):
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        if "tests" in os.path.relpath(path, root).split(os.sep) and not path.endswith((".py", ".sh", ".build")):
            continue   # test data
        house.text(path, lines)
        seen += 1
    house.base_is_small()
    house.one_wrapper_each()
    house.no_code_in("deploy")
    house.no_code_in("docs")
    return house, seen


# A house with one fault per file, so that a check that stopped seeing is itself seen.
FAULTS = {
    "base/up.h": ('#include "classify/policy.h"\n', "may see nothing"),
    "classify/across.cc": ('#include "tls/record.h"\n', "may see base"),
    "tls/across.cc": ('#include "classify/policy.h"\n', "may see base"),
    "dataplane/up.cc": ('#include "control/site.h"\n', "may see base"),
    "control/tests.cc": ('#include "tests/packets.h"\n', "nothing may see tests"),
    "classify/dpdk.cc": ("#include <rte_mbuf.h>\n", "DPDK belongs to dataplane"),
    "control/dpdk.cc": ("#include <rte_ethdev.h>\n", "DPDK belongs to dataplane"),
    "dataplane/hs.cc": ("#include <hs.h>\n", "Hyperscan belongs to classify"),
    "control/tls.cc": ("#include <openssl/ssl.h>\n", "OpenSSL belongs to tls"),
    "dataplane/boost.cc": ("#include <boost/asio.hpp>\n", "Boost belongs to control"),
    "classify/json.cc": ("#include <nlohmann/json.hpp>\n", "nlohmann belongs to control"),
    "dataplane/schema.cc": ("#include <valijson/schema.hpp>\n", "valijson belongs to control"),
    "dataplane/yaml.cc": ("#include <yaml.h>\n", "libyaml belongs to control"),
    "control/pcap.cc": ("#include <pcap/pcap.h>\n", "libpcap belongs to dataplane"),
    "dataplane/http.cc": ("#include <llhttp.h>\n", "llhttp belongs to profiles"),
    "dataplane/regex.cc": ("#include <pcre2.h>\n", "PCRE2 belongs to profiles"),
    "classify/second_acl.cc": ("#include <rte_acl.h>\n", "a second file of classify wraps rte_acl"),
    "classify/second_hs.cc": ("#include <hs/hs.h>\n", "a second file of classify wraps Hyperscan"),
    "base/macro.h": ("#define LIMIT 3\n", "defines a macro"),
    "base/throws.cc": ("void f() { throw 1; }\n", "uses exceptions"),
    "control/long.cc": ("//\n" * 600, "files stop at 600"),
    "control/later.cc": ("// TO" + "DO: later\n", "has a TODO"),
    "control/near.cc": ('#include "site.h"\n', "say the folder"),
    "control/lost.cc": ('#include "control/nowhere.h"\n', "does not exist"),
    "deploy/code.cc": ("", "deploy holds no C++"),
}
BARE_FAULTS = {
    "base/guard.h": ("// SPDX-License-Identifier: Apache-2.0\nint x;\n", "has no #pragma once"),
    "base/licence.cc": ("int x;\n", "must have one SPDX line"),
    "control/licences.cc": ("// SPDX-License-Identifier: Apache-2.0\n" * 2, "must have one SPDX line"),
}
INNOCENT = {
    "base/a.h": "// it throws no exception, and \"try\" is a word\nconst char* const k = \"throw\";\n",
    "classify/acl.cc": "#include <rte_acl.h>\n#include \"base/a.h\"\n",
    "classify/hs.cc": "#include <hs/hs.h>\n",
    "profiles/http.cc": "#include <llhttp.h>\n#include \"classify/d.h\"\n",
    "control/b.cc": "#include <boost/asio.hpp>\n#include \"base/a.h\"\n#include \"dataplane/c.h\"\nvoid f() { throw 1; }\n",
    "dataplane/c.h": "#include <rte_mbuf.h>\n#include <pcap/pcap.h>\n#include \"classify/d.h\"\n",
    "classify/d.h": "",
    "tests/t.cc": "#include <rte_mbuf.h>\n#include \"control/e.h\"\n#define A\n",
    "control/e.h": "",
}


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def with_heading(name, text):
    return "// SPDX-License-Identifier: Apache-2.0\n" + ("#pragma once\n" if name.endswith(".h") else "") + text


def check_the_checks():
    """What the script does not find in a house that is full of faults, or finds where there is none."""
    import tempfile
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        for name, text in INNOCENT.items():
            write(root, name, with_heading(name, text))
        wrong += [f"finds in a sound house: {finding}" for finding in inspect(root)[0].findings]
        for name, (text, _) in FAULTS.items():
            write(root, name, with_heading(name, text))
        for name, (text, _) in BARE_FAULTS.items():
            write(root, name, text)
        findings = inspect(root)[0].findings
        for name, (_, expected) in {**FAULTS, **BARE_FAULTS}.items():
            if not any(finding.startswith(name + ":") and expected in finding for finding in findings):
                wrong.append(f"does not find in {name}: {expected}")
    return wrong, 1 + len(FAULTS) + len(BARE_FAULTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", default=REPO, help="default: the repository this script is in")
    arguments = parser.parse_args()
    wrong, checks = check_the_checks()
    house, seen = inspect(arguments.root)
    for line in wrong:
        print(f"layering.py: {line}")
    for line in house.warnings:
        print(f"warning: {line}")
    for line in house.findings:
        print(line)
    bad_files = {finding.split(":")[0] for finding in house.findings}
    failed = len(bad_files) + len(wrong)
    print(f"{seen + checks - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
