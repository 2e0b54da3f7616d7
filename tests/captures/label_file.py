# SPDX-License-Identifier: Apache-2.0
"""Reads and writes labels.yaml: per capture what it shows, who made it, and every flow in it with its application."""
import json
import os

import yaml

HEAD = """# SPDX-License-Identifier: Apache-2.0
# Written by generate.py. Every flow of NAME.pcapng and what it is; `unidentified`: nothing that has a name here.
#   made_by    packages of Debian 12 that spoke; crafted: the end (client, server, both) that no program of Debian 12 could
#              play and that python wrote instead
#   decode_as  what tshark must be told, because the port is unusual
#   flows      source is who spoke first; icmp_type is that of the question
captures:
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)["captures"] or {}


def put(path, name, entry, order):
    """Adds or replaces the entry of one capture; `order` is the order of names in the file, others are forgotten."""
    captures = read(path) if os.path.exists(path) else {}
    captures[name] = entry
    with open(f"{path}.new", "w", encoding="utf-8") as out:
        out.write(HEAD)
        for each in filter(captures.get, order):
            out.write("".join(lines_of(each, captures[each])))
    os.replace(f"{path}.new", path)


def lines_of(name, entry):
    yield f"  {name}:\n"
    for key, value in entry.items():
        if key != "flows":
            yield f"    {key}: {json.dumps(value, ensure_ascii=False)}\n"
    yield "    flows:\n"
    for flow in entry["flows"]:
        members = ", ".join(f"{key}: {json.dumps(value) if ':' in str(value) else value}" for key, value in flow.items())
        yield f"      - {{{members}}}\n"
