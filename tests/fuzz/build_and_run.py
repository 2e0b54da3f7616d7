#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds every tests/fuzz/*_fuzz.cc with libFuzzer, AddressSanitizer and UBSan and runs each for SECONDS.
A target's seeds are in corpus/<name>/. The product's folders it is linked with are those a line "// needs: FOLDER..."
names, otherwise those its includes lead to; "// links: PACKAGE..." names libraries of its own. Objects stay in build-fuzz/, inputs that failed in build-fuzz/failures/.
The last line is "N passed, N failed"."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
SANITIZERS = "address,undefined"
FOLDERS = ["base", "classify", "tls", "profiles", "dataplane", "control"]
SEES = {
    "base": [],
    "classify": ["base"],
    "tls": ["base"],
    "profiles": ["base", "classify"],
    "dataplane": ["base", "classify", "tls", "profiles"],
    "control": ["base", "classify", "tls", "profiles", "dataplane"],
}
PACKAGES = {"classify": ["libhs"], "profiles": ["libpcre2-8"], "dataplane": ["libdpdk", "libpcap"], "control": ["yaml-0.1", "fmt", "nlohmann_json"], "tls": ["openssl"]}
# Sources of others, in C and with warnings of their own (node-llhttp).
FOREIGN = {"profiles": [f"/usr/share/llhttp/{name}.c" for name in ("api", "http", "llhttp")]}
FOREIGN_FLAGS = {"profiles": ["-isystem", "/usr/share/include/llhttp", "-DLLHTTP_STRICT_MODE=1", "-DPCRE2_CODE_UNIT_WIDTH=8"]}
LIBRARIES = {"dataplane": ["-lrte_net_ring"], "control": ["-lboost_program_options", "-lpthread"]}
MAINS = {"control/main.cc", "control/posternctl.cc"}
CATALOGUES = sorted(name for name in os.listdir(os.path.join(REPO, "deploy/catalogue")) if name.endswith(".yaml"))
EMBEDDED = ("pack_schema_text=deploy/schema/pack.schema.json", "--list", "shipped_catalogues",
            *(f"deploy/catalogue/{name}" for name in CATALOGUES))
# One input that takes longer or needs more is a failure.
RUN = ["-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]


def pkg_config(option, packages):
    if not packages:
        return []
    return subprocess.run(["pkg-config", option, *packages], check=True, capture_output=True, text=True).stdout.split()


def folders_of(target):
    with open(target, encoding="utf-8") as file:
        text = file.read()
    named = re.search(r"^// needs: (.*)$", text, re.M)
    first = named[1].split() if named else re.findall(r'#include "(\w+)/', text)
    wanted = {folder for folder in first if folder in SEES}
    if not named:
        wanted |= {seen for folder in wanted for seen in SEES[folder]}
    return [folder for folder in FOLDERS if folder in wanted]


def packages_of(target):
    with open(target, encoding="utf-8") as file:
        named = re.search(r"^// links: (.*)$", file.read(), re.M)
    return named[1].split() if named else []


def sources_of(folder):
    paths = sorted(os.path.relpath(os.path.join(where, name), REPO)
                   for where, _, names in os.walk(os.path.join(REPO, folder)) for name in names)
    return [path for path in paths if path.endswith(".cc") and path not in MAINS]


def flags_of(folder):
    # Headers of libraries are the system's: their warnings are not ours.
    flags = [re.sub("^-I", "-isystem", flag) for flag in pkg_config("--cflags", PACKAGES.get(folder, []))]
    return flags + FOREIGN_FLAGS.get(folder, []) + ([] if folder == "control" else ["-fno-exceptions", "-fno-rtti"])


def write_build(build, targets):
    """One ninja file: a library per folder, a program per target."""
    common = ["-std=c++20", "-O1", "-g", f"-I{REPO}", "-D_GNU_SOURCE", "-march=x86-64-v2", "-fno-omit-frame-pointer", "-w"]
    lines = [
        f"compile = clang++ {' '.join(common)}",
        "rule object",
        f"  command = $compile $flags -fsanitize=fuzzer-no-link,{SANITIZERS} -MMD -MF $out.d -c $in -o $out",
        "  depfile = $out.d",
        "  deps = gcc",
        "  description = $in",
        "rule foreign",
        f"  command = clang -O1 -g -w $flags -fsanitize=fuzzer-no-link,{SANITIZERS} -c $in -o $out",
        "  description = $in",
        "rule archive",
        "  command = rm -f $out && ar crs $out $in",
        "  description = $out",
        "rule program",
        f"  command = clang++ -fsanitize=fuzzer,{SANITIZERS} -o $out $in -Wl,--start-group $archives -Wl,--end-group $libraries",
        "  description = $out",
        "rule embed",
        f"  command = /usr/bin/python3 {REPO}/control/embed_text.py $out $texts",
        "  description = $out",
    ]
    used = [folder for folder in FOLDERS if any(folder in folders for folders in targets.values()) and sources_of(folder)]
    for folder in used:
        objects = []
        sources = [(source, f"{REPO}/{source}") for source in sources_of(folder)]
        if folder == "control":
            texts = [re.sub(r"^(\w+=)?deploy/", rf"\1{REPO}/deploy/", text) for text in EMBEDDED]
            inputs = " ".join(text.split("=", 1)[-1] for text in texts if "/" in text)
            lines += [f"build embedded_text.cc: embed | {inputs} {REPO}/control/embed_text.py", f"  texts = {' '.join(texts)}"]
            sources.append(("control/embedded_text.cc", "embedded_text.cc"))
        flags = set_of_flags([folder, *SEES[folder]])
        for name, path in sources:
            objects.append(f"{name}.o")
            lines += [f"build {name}.o: object {path}", f"  flags = {' '.join(flags)}"]
        for path in FOREIGN.get(folder, []):
            objects.append(f"{folder}/{os.path.basename(path)}.o")
            lines += [f"build {objects[-1]}: foreign {path}", f"  flags = {' '.join(FOREIGN_FLAGS[folder])}"]
        lines.append(f"build lib{folder}.a: archive {' '.join(objects)}")
    for target, folders in targets.items():
        folders = [folder for folder in folders if folder in used]
        archives = [f"lib{folder}.a" for folder in reversed(folders)]
        libraries = [flag for folder in folders for flag in
                     [*pkg_config("--libs", PACKAGES.get(folder, [])), *LIBRARIES.get(folder, [])]]
        libraries += pkg_config("--libs", packages_of(f"{HERE}/{target}.cc"))
        lines += [
            f"build {target}.o: object {HERE}/{target}.cc",
            f"  flags = {' '.join(set_of_flags(folders))}",
            f"build {target}: program {target}.o | {' '.join(archives)}",
            f"  archives = {' '.join(archives)}",
            f"  libraries = {' '.join(libraries)}",
        ]
    with open(os.path.join(build, "build.ninja"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def set_of_flags(folders):
    flags = []
    for folder in folders:
        flags += [flag for flag in flags_of(folder) if flag not in flags]
    if "control" in folders:   # exceptions are on above and in control
        flags = [flag for flag in flags if flag not in ("-fno-exceptions", "-fno-rtti")]
    return flags


def run(build, target, seconds):
    """True when nothing was found; tells what was."""
    name = target.removesuffix("_fuzz")
    failures = os.path.join(build, "failures", "")
    os.makedirs(failures, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        seeds = os.path.join(HERE, "corpus", name)
        if os.path.isdir(seeds):
            shutil.copytree(seeds, corpus, dirs_exist_ok=True)
        # DPDK's memory and plugins live until exit, so leaks are not looked for there.
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
        command = [os.path.join(build, target), *RUN, f"-max_total_time={seconds}", f"-artifact_prefix={failures}{name}-", corpus]
        try:
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                                  text=True, timeout=seconds + 120)
            output, good = done.stdout, done.returncode == 0
        except subprocess.TimeoutExpired as expired:
            output, good = (expired.stdout or b"").decode(errors="replace") + "\nit hangs", False
    units = re.search(r"number_of_executed_units:\s*(\d+)", output)
    print(f"{'ok' if good else 'FAIL'} {target}: {units[1] if units else 0} inputs", flush=True)
    if not good:
        print("\n".join(output.splitlines()[-60:]), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int, help="for each target")
    parser.add_argument("targets", nargs="*", help="only these, for instance dns_message_fuzz")
    parser.add_argument("--build", default=os.environ.get("POSTERN_FUZZ_BUILD", os.path.join(REPO, "build-fuzz")))
    arguments = parser.parse_args()
    every = sorted(name.removesuffix(".cc") for name in os.listdir(HERE) if name.endswith("_fuzz.cc"))
    unknown = set(arguments.targets) - set(every)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    targets = {name: folders_of(os.path.join(HERE, f"{name}.cc")) for name in arguments.targets or every}
    os.makedirs(arguments.build, exist_ok=True)
    write_build(arguments.build, targets)
    # Every target is built that can be: one that does not build is one failure, not the end, and no old one runs instead.
    for target in targets:
        if os.path.exists(os.path.join(arguments.build, target)):
            os.remove(os.path.join(arguments.build, target))
    subprocess.run(["ninja", "-C", arguments.build, "-k", "0", "--quiet", *targets], check=False)
    results = []
    for target in targets:
        built = os.path.exists(os.path.join(arguments.build, target))
        if not built:
            print(f"FAIL {target}: does not build")
        results.append(built and run(arguments.build, target, arguments.seconds))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
