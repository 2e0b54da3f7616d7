#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the labelled captures of this folder with real clients and servers, and writes labels.yaml beside them. Not a part
of tests/run: what it makes is committed. Needs root, about 15 minutes and 3 GB below /var/tmp the first time.
Run: sudo tests/captures/generate.py [--list] [CAPTURE...]   (without names: all of them)"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

import sandbox  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="generate.py", description=__doc__)
    parser.add_argument("--list", action="store_true", help="names of the captures")
    parser.add_argument("--folder", default="/var/tmp/postern-captures", help="keeps the installed packages")
    parser.add_argument("--keep-going", action="store_true", help="a capture that fails does not end the run")
    parser.add_argument("--shell", help="runs this command in the sandbox instead, to look around")
    parser.add_argument("captures", nargs="*")
    arguments = parser.parse_args()
    if arguments.shell:
        if not sandbox.inside():
            sandbox.enter(arguments.folder)
        sandbox.settle()
        return os.waitstatus_to_exitcode(os.system(arguments.shell))
    import scenes
    from scenes import scene
    scenes.load()
    if arguments.list:
        print("\n".join(scene.ALL))
        return 0
    unknown = [name for name in arguments.captures if name not in scene.ALL]
    if unknown:
        parser.error(f"no capture {', '.join(unknown)}; see --list")
    if not sandbox.inside():
        sandbox.enter(arguments.folder)
    sandbox.settle()
    return scene.record(arguments.captures or list(scene.ALL), HERE, arguments.keep_going)


if __name__ == "__main__":
    sys.exit(main())
