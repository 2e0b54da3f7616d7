# SPDX-License-Identifier: Apache-2.0
"""Rule files for DPDK's l3fwd that send each flow of perf/memory_traffic.cc out of the other port."""
import os

EXAMPLES = "/usr/share/dpdk/examples/l3fwd"
CLIENTS, SERVERS, FIRST_PORT, BMC_PORT, TCP = 4096, 251, 20000, 443, 6  # as in perf/memory_traffic.cc


def dotted(number):
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def ends_of(flow):
    client = (10 << 24) + (64 << 16) + 256 + flow % CLIENTS
    return dotted(client), dotted((10 << 24) + (4 << 16) + 1 + flow % SERVERS), FIRST_PORT + flow // CLIENTS


def em_lines(flows):
    """Destination, source, destination port, source port, protocol, port out."""
    for flow in range(flows):
        client, server, port = ends_of(flow)
        yield f"R{server} {client} {BMC_PORT} {port} {TCP} 1\n"
        yield f"R{client} {server} {port} {BMC_PORT} {TCP} 0\n"


def lpm_lines():
    for net in range(CLIENTS // 256 + 1):
        yield f"R10.64.{net}.0/24 0\n"
    yield "R10.4.0.0/24 1\n"


def acl_lines():
    """As many rules as a kit pack has: services that are refused, then the two directions that pass."""
    for port in (23, 115, 623, 5988, 427):
        yield f"@0.0.0.0/0 10.4.0.0/16 0 : 65535 {port} : {port} 0x06/0xff\n"
    yield "R10.64.0.0/10 10.4.0.0/16 0 : 65535 443 : 443 0x06/0xff 1\n"
    yield "R10.4.0.0/16 10.64.0.0/10 443 : 443 0 : 65535 0x06/0xff 0\n"


V6_ACL = "R2001:0200:0:0:0:0:0:0/64 2001:0201:0:0:0:0:0:0/64 0 : 65535 0 : 65535 0x06/0xff 0\n"


def write(folder, lookup, flows):
    """Paths of the files for IPv4 and IPv6; l3fwd wants both or takes its own."""
    lines = {"em": lambda: em_lines(flows), "lpm": lpm_lines, "acl": acl_lines}[lookup]()
    v4 = os.path.join(folder, f"{lookup}_v4.rules")
    with open(v4, "w", encoding="ascii") as file:
        file.writelines(lines)
    if lookup != "acl":
        return v4, f"{EXAMPLES}/{lookup}_default_v6.cfg"
    v6 = os.path.join(folder, "acl_v6.rules")
    with open(v6, "w", encoding="ascii") as file:
        file.write(V6_ACL)
    return v4, v6
