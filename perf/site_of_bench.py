# SPDX-License-Identifier: Apache-2.0
"""The site file of posternd on memory ports: the shipped pack between two sides of the management zone, BMCs behind the second.
Everything else stands as shipped, App-ID and logs included."""
import os

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SITE = """\
site: bench
packs: [{repo}/deploy/packs/out_of_band_server_management.json]
pattern_cache: {patterns}
workers: 1
cores: [{core}]
idle: spin
flows: {flows}
wires:
  - {{wire: back, sides: {{appliance: "vdev:{ports[0]}", bmc: "vdev:{ports[1]}"}}}}
zones:
  - {{zone: management, wire: back, side: appliance, prefixes: [10.64.0.0/10]}}
  - {{zone: management, wire: back, side: bmc, prefixes: [10.4.0.0/16]}}
  - {{zone: trust, wire: back, side: appliance, prefixes: [10.1.0.0/16]}}
  - {{zone: internal, wire: back, side: appliance, prefixes: [10.2.0.0/16]}}
  - {{zone: internet, wire: back, side: appliance, prefixes: [0.0.0.0/0]}}
applications:
  bmc_management: {{servers: [10.4.0.0/16]}}
identity:
  groups: {{deployment_defined: [oob_admins]}}
logging:
  directory: {folder}/log
  forwarding:
    siem_default: {{file: siem_default.json}}
    siem_high_priority: {{file: siem_high_priority.json}}
  default_rule: siem_default
  stats_seconds: 0
control: {{socket: {folder}/control.sock}}
rules:
  before: [{rules}]
"""

RULE = ("\n    {{rule: service_{n}, action: allow, zones: {{source: [management], destination: [management]}}, "
        "source: [{source}/32], destination: [{destination}/32], protocol: tcp, ports: [{port}]}}")


def rule(n):
    """For a service of some other host, so that every connection has to be told from it."""
    low, high = n % 250 + 1, n // 250 % 250
    return RULE.format(n=n, source=f"10.80.{high}.{low}", destination=f"10.4.{high}.{low}", port=n % 1000 + 8000)


def write(folder, ports, flows, core, more_rules):
    """Its path. Patterns are compiled once for all runs of a measurement."""
    os.makedirs(f"{folder}/log")
    path = f"{folder}/site.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(SITE.format(repo=REPO, folder=folder, core=core, flows=flows, ports=ports,
                               patterns=f"{os.path.dirname(os.path.dirname(os.path.dirname(folder)))}/patterns",
                               rules=",".join(rule(n) for n in range(more_rules))))
    return path
