#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The compiled seed policy, as text: tests/golden/seed_policy.dump. A change of loader, catalogue or tables shows here.
Run: tests/golden/dump_test.py [--update]. POSTERND names the binary (default build/posternd)."""
import difflib
import os
import subprocess
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent
POSTERND = os.environ.get("POSTERND", GOLDEN.parent.parent / "build" / "posternd")


def main():
    done = subprocess.run([POSTERND, "check", "--site", GOLDEN / "sites" / "seed.yaml"], capture_output=True, text=True)
    # Warnings name files by their place on this machine.
    found = [line for line in done.stdout.splitlines(keepends=True) if not line.startswith("warning: ")]
    golden = GOLDEN / "seed_policy.dump"
    if "--update" in sys.argv[1:]:
        golden.write_text("".join(found), encoding="utf-8")
    wanted = golden.read_text(encoding="utf-8").splitlines(keepends=True)
    difference = list(difflib.unified_diff(wanted, found, "seed_policy.dump", "posternd check"))
    sys.stdout.writelines(difference)
    sys.stdout.write(done.stderr)
    ok = not difference and done.returncode == 0
    print("1 passed, 0 failed" if ok else "0 passed, 1 failed")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
