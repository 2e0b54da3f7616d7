# SPDX-License-Identifier: Apache-2.0
"""A scene is a function that plays one capture in a Lab, and what the flows in it are. Recording turns it into
NAME.pcapng and an entry of labels.yaml."""
import os
import shutil
import struct
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Callable

import flows
import label_file
import sandbox
from packets import capture as capture_file
from scenes.lab import Lab, SceneError

LARGEST = 64 * 1024
ALL = {}


@dataclass(frozen=True)
class Scene:
    name: str
    labels: dict         # "tcp/443" (of the server), "tcp/*", "udp/*", "icmp/8", "esp": app_id
    packages: list       # that make the traffic, clients and servers
    play: Callable
    says: str
    crafted: str         # client, server or both; empty: real programs at both ends
    frames_per_flow: int
    decode_as: list      # for tshark


def scene(labels, packages="", crafted="", frames_per_flow=0, decode_as=()):
    def declare(play):
        name = play.__name__
        assert name not in ALL, name
        ALL[name] = Scene(name, labels, packages.split(), play, " ".join(play.__doc__.split()), crafted, frames_per_flow,
                          list(decode_as))
        return play
    return declare


def record(names, folder, keep_going):
    wanted = sorted({package for name in names for package in (*ALL[name].packages, "tcpdump", "ethtool", "iproute2")})
    versions = sandbox.install(wanted)
    failed = []
    for name in names:
        began = time.monotonic()
        try:
            size = make(ALL[name], folder, versions)
            print(f"{name}: {size} bytes, {time.monotonic() - began:.1f} s", flush=True)
        except Exception as wrong:  # the next capture has nothing to do with it
            if not isinstance(wrong, SceneError):
                traceback.print_exc()
            print(f"{name}: FAILED: {wrong}", file=sys.stderr, flush=True)
            failed.append(name)
            if not keep_going:
                break
    return 1 if failed else 0


def make(scene_, folder, versions):
    with Lab(scene_.name) as lab:
        scene_.play(lab)
        frames = [frame for frame in read_pcap(lab.pcap) if flows.parse(frame.data)]
    if scene_.frames_per_flow:
        frames = list(first_of_each(frames, scene_.frames_per_flow))
    found = list(flows.flows_of(frame.data for frame in frames).values())
    missing = set(scene_.labels) - {selector_of(scene_, packet) for packet in found}
    if missing:
        raise SceneError(f"no flow of {', '.join(sorted(missing))}; saw {found}\n{lab.logs()}")
    labelled = [label(scene_, packet) for packet in found]
    path = f"{folder}/{scene_.name}.pcapng"
    capture_file.write_pcapng(path, frames)
    size = os.path.getsize(path)
    if size > LARGEST:
        os.remove(path)
        raise SceneError(f"{size} bytes are too many")
    entry = {"says": scene_.says, "made_by": [f"{name} {versions[name]}" for name in scene_.packages]}
    if scene_.crafted:
        entry["crafted"] = scene_.crafted
    if scene_.decode_as:
        entry["decode_as"] = scene_.decode_as
    label_file.put(f"{folder}/labels.yaml", scene_.name, {**entry, "flows": labelled}, order=list(ALL))
    shutil.rmtree(lab.folder, ignore_errors=True)
    return size


def selector_of(scene_, packet):
    transport = {"ICMP": "icmp", "IPv6-ICMP": "icmp6"}.get(packet.proto, packet.proto.lower())
    # Who speaks first is not always the client of the protocol: a TFTP server opens the flow of the data.
    for selector in (f"{transport}/{packet.dport}", f"{transport}/{packet.sport}", f"{transport}/*", transport):
        if selector in scene_.labels:
            return selector
    raise SceneError(f"an unexpected flow: {packet}")


def label(scene_, packet):
    app = scene_.labels[selector_of(scene_, packet)]
    if packet.proto.endswith("ICMP"):
        return {"proto": packet.proto, "src": packet.src, "dest": packet.dest, "icmp_type": packet.sport, "app": app}
    return {"proto": packet.proto, "src": packet.src, "sport": packet.sport, "dest": packet.dest, "dport": packet.dport, "app": app}


def first_of_each(frames, count):
    """Cuts long conversations, as a capture that was ended early does."""
    seen = {}
    for frame in frames:
        key = flows.parse(frame.data).key()
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= count:
            yield frame


def read_pcap(path):
    with open(path, "rb") as file:
        data = file.read()
    magic = struct.unpack_from("<I", data)[0]
    unit, at = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic], 24
    while at + 16 <= len(data):
        seconds, fraction, captured, original = struct.unpack_from("<IIII", data, at)
        if captured != original:
            raise SceneError(f"{path}: a frame is cut")
        yield capture_file.Frame("lab0", seconds * 10**9 + fraction * unit, data[at + 16:at + 16 + captured])
        at += 16 + captured


