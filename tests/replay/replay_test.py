#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`posternd replay` as an operator uses it: every kind of capture, several workers, no site, no privileges, and a
million frames of garbage. Every run checks the accounting. Run: tests/replay/replay_test.py [-v] [TEST...]
Environment: POSTERND (default build/posternd), GARBAGE_FRAMES (per kind of garbage, default 500000)."""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "golden")]
import case_file  # noqa: E402
from packets import capture, hosts, payloads  # noqa: E402
from packets.capture import Frame  # noqa: E402
from packets.conversation import Tcp  # noqa: E402
from scapy.layers.inet import ICMP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

POSTERND = os.environ.get("POSTERND", str(TESTS.parent / "build" / "posternd"))
SITE = TESTS / "golden" / "sites" / "seed.yaml"
ONE_WIRE = TESTS / "replay" / "one_wire.yaml"   # its prefixes tell the sides apart
GARBAGE_FRAMES = int(os.environ.get("GARBAGE_FRAMES", "500000"))
NOBODY = 65534


class Replay:
    """One run: exit status, messages, stats, log records and what came out."""

    def __init__(self, folder, pcap, *options, prefix=(), timeout=600):
        self.log, self.out = folder / "log", folder / "out.pcapng"
        folder.mkdir(parents=True, exist_ok=True)
        self.log.mkdir(exist_ok=True)
        if prefix:
            for path in (folder, self.log):
                os.chown(path, NOBODY, NOBODY)
        command = [*prefix, POSTERND, "replay", "--pcap", str(pcap), "--out", str(self.out), "--log", str(self.log), *map(str, options)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        self.status, self.messages = run.returncode, run.stderr
        self.files = {path.name: path.read_text().splitlines() for path in sorted(self.log.glob("*.json"))}
        stats = [json.loads(line) for line in self.files.pop("stats.json", [])]
        self.stats = stats[-1].get("stats", stats[-1]) if stats else None

    def lines(self):
        return sorted(line for lines in self.files.values() for line in lines)

    def flows(self):
        return [r for r in map(json.loads, self.lines()) if r["event_type"] == "flow" and r["flow"].get("log") == "end"]

    def sent(self):
        return capture.read_pcapng(self.out)


def conversations(count):
    """Frames of `count` conversations of every kind, interleaved, some forbidden; (frames, number of flows)."""
    rng, queues = random.Random(7), []
    for n in range(count):
        sport = 20000 + n
        kind = n % 5
        if kind in (0, 1):
            server = (hosts.bmc, hosts.vendor)[kind]
            c = Tcp(hosts.appliance, server, 443, sport=sport)
            queues.append(c.handshake() + [c.send(payloads.client_hello(f"host{n}.test")), c.answer(payloads.server_hello()),
                                           c.send(payloads.tls_data(n)), *c.close()])
        elif kind == 2:
            query = hosts.ip(hosts.appliance, hosts.resolver) / UDP(sport=sport, dport=53) / Raw(payloads.dns_query(number=n))
            answer = hosts.ip(hosts.resolver, hosts.appliance) / UDP(sport=53, dport=sport) / Raw(payloads.dns_answer(number=n))
            queues.append([query, answer])
        elif kind == 3:
            queues.append([Tcp(hosts.appliance, hosts.bmc2, 5988, sport=sport).syn()] * 2)
        else:
            queues.append([hosts.ip6(hosts.appliance, hosts.resolver) / UDP(sport=sport, dport=53) / Raw(payloads.dns_query())])
    time, frames = case_file.START, []
    while queues:
        queue = rng.choice(queues)
        packet = queue.pop(0)
        time += rng.randrange(10**6)
        frames.append(Frame(hosts.place_of(packet), time, bytes(hosts.framed(packet))))
        if not queue:
            queues.remove(queue)
    return frames, count


class ReplayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder_owner = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.folder_owner.name)
        cls.folder.chmod(0o755)
        cls.frames, cls.flow_count = conversations(250)
        cls.pcap = cls.folder / "conversations.pcapng"
        capture.write_pcapng(cls.pcap, cls.frames)

    @classmethod
    def tearDownClass(cls):
        cls.folder_owner.cleanup()

    def replay(self, name, pcap, *options, status=0, **more):
        run = Replay(self.folder / self.id().split(".")[-1] / name, pcap, "--pattern-cache", self.folder / "patterns", *options, **more)
        self.assertEqual(run.status, status, run.messages)
        self.assertIsNotNone(run.stats, "no stats record")
        stats = run.stats
        self.assertEqual(stats["received"], stats["sent"] + sum(stats["drops"].values()) + stats["held"], "accounting")
        self.assertEqual(stats["sent"], len(run.sent()), "what is counted as sent came out")
        return run

    def test_two_runs_write_the_same_bytes(self):
        one, two = (self.replay(name, self.pcap, "--site", SITE) for name in ("one", "two"))
        self.assertEqual(one.files, two.files)
        self.assertEqual(one.out.read_bytes(), two.out.read_bytes())
        self.assertEqual(one.stats["received"], len(self.frames))
        self.assertGreater(len(one.lines()), self.flow_count)   # forbidden flows have two records

    def test_workers_do_not_change_the_records(self):
        one, *others = (self.replay(str(n), self.pcap, "--site", SITE, "--workers", n) for n in (1, 2, 4))
        for other in others:
            self.assertEqual(one.lines(), other.lines())
            self.assertEqual(one.stats["drops"], other.stats["drops"])
            self.assertEqual(sorted(f.interface.encode() + f.data for f in one.sent()),
                             sorted(f.interface.encode() + f.data for f in other.sent()))

    def test_order_within_a_flow_is_kept_by_every_number_of_workers(self):
        for workers in (1, 4):
            run = self.replay(str(workers), self.pcap, "--site", SITE, "--workers", workers)
            sent = {}
            for frame in run.sent():
                sent.setdefault(self.tuple_of(frame.data), []).append(frame.data)
            arrived = {}
            for frame in self.frames:
                arrived.setdefault(self.tuple_of(frame.data), []).append(frame.data)
            for key, frames in sent.items():
                self.assertEqual(frames, arrived[key])

    @staticmethod
    def tuple_of(data):
        return data[12:14], data[26:38] if data[12:14] == b"\x08\x00" else data[22:58]

    def test_without_a_site_everything_passes_and_every_flow_is_logged(self):
        run = self.replay("run", self.pcap)
        self.assertEqual(list(run.files), ["eve.json"])
        self.assertEqual(run.stats["sent"], len(self.frames))
        self.assertEqual(len(run.flows()), self.flow_count)
        for record in run.flows():
            self.assertEqual(record["verdict"]["action"], "allow")

    def test_every_kind_of_capture_gives_the_same_flows(self):
        front = [f for f in self.frames if f.interface.startswith("front:")]
        ip_only = [f._replace(data=f.data[14:]) for f in front]
        cooked = [f._replace(data=bytes(6) + b"\x00\x00" + bytes(6) + f.data[12:]) for f in front]
        cooked2 = [f._replace(data=f.data[12:14] + bytes(18) + f.data[14:]) for f in front]
        kinds = {
            "pcapng": lambda path: capture.write_pcapng(path, front),
            "microseconds": lambda path: capture.write_pcap(path, front),
            "nanoseconds": lambda path: capture.write_pcap(path, front, nanoseconds=True),
            "raw": lambda path: capture.write_pcap(path, ip_only, link=capture.RAW),
            "cooked": lambda path: capture.write_pcap(path, cooked, link=capture.LINUX_COOKED),
            "cooked2": lambda path: capture.write_pcapng(path, cooked2, link=capture.LINUX_COOKED_2),
        }
        seen = {}
        for kind, write in kinds.items():
            pcap = self.folder / f"kind_{kind}"
            write(pcap)
            run = self.replay(kind, pcap, "--site", ONE_WIRE)
            self.assertEqual(run.stats["received"], len(front))
            seen[kind] = sorted((r["src_ip"], r["src_port"], r["dest_ip"], r["dest_port"], r["policy"]["rule"],
                                 r["flow"]["pkts_toserver"], r["flow"]["pkts_toclient"]) for r in run.flows())
        self.assertIn("firmware_update", {flow[4] for flow in seen["pcapng"]})
        self.assertNotIn("default", {flow[4] for flow in seen["pcapng"]})
        for kind, flows in seen.items():
            self.assertEqual(flows, seen["pcapng"], kind)

    def test_packets_that_the_capture_cut_are_truncated(self):
        frame = bytes(hosts.framed(hosts.ip(hosts.appliance, hosts.resolver) / UDP(sport=1, dport=53) / Raw(bytes(500))))
        pcap = self.folder / "cut.pcap"
        capture.write_pcap(pcap, [])
        with open(pcap, "ab") as out:
            out.write(struct.pack("<IIII", 1, 0, 100, len(frame)) + frame[:100])
        run = self.replay("run", pcap, "--site", ONE_WIRE)
        self.assertEqual(run.stats["drops"]["truncated"], 1)

    def test_times_that_run_backwards_do_no_harm(self):
        frames = [f._replace(time=self.frames[-1 - n].time) for n, f in enumerate(self.frames)]
        pcap = self.folder / "backwards.pcapng"
        capture.write_pcapng(pcap, frames)
        run = self.replay("run", pcap, "--site", SITE)
        self.assertEqual(run.stats["received"], len(frames))
        for record in run.flows():
            self.assertGreaterEqual(record["flow"]["end"], record["flow"]["start"])

    def test_a_damaged_tail_is_an_error_after_the_good_packets(self):
        pcap = self.folder / "damaged.pcapng"
        pcap.write_bytes(self.pcap.read_bytes()[:-5])
        run = self.replay("run", pcap, status=1)
        self.assertEqual(run.stats["received"], len(self.frames) - 1)
        self.assertIn(f"{pcap}: packet {len(self.frames)}: ", run.messages)

    def test_what_is_no_capture_is_refused_with_its_name(self):
        for name, content in (("empty", b""), ("text", b"not a capture at all, just a line of text\n")):
            pcap = self.folder / f"{name}.pcap"
            pcap.write_bytes(content)
            run = Replay(self.folder / f"refused_{name}", pcap)
            self.assertEqual(run.status, 1)
            self.assertIn(str(pcap), run.messages)
        missing = Replay(self.folder / "refused_missing", self.folder / "nowhere.pcap")
        self.assertEqual(missing.status, 1)
        self.assertIn("nowhere.pcap", missing.messages)

    def test_an_empty_capture_gives_empty_logs(self):
        pcap = self.folder / "nothing.pcapng"
        capture.write_pcapng(pcap, [])
        run = self.replay("run", pcap, "--site", SITE)
        self.assertEqual((run.stats["received"], run.lines(), run.sent()), (0, [], []))

    @unittest.skipUnless(os.geteuid() == 0, "is unprivileged already")
    def test_no_privileges_are_needed(self):
        run = self.replay("run", self.pcap, "--site", SITE,
                          prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all",
                                  "--bounding-set=-all"))
        self.assertEqual(run.stats["received"], len(self.frames))

    def test_frames_of_every_size_are_forwarded_or_counted(self):
        frames = [Frame("back:appliance", case_file.START + n, bytes(hosts.framed(
            hosts.ip(hosts.appliance, hosts.bmc) / ICMP(id=1) / Raw(bytes(size)))))
            for n, size in enumerate([*range(0, 64), 1400, 1472, 1473, 2000, 8972, 9000, 20000, 65400])]
        frames += [Frame("back:bmc", case_file.START, bytes(size)) for size in (0, 1, 13, 14, 60, 65536, 262144)]
        pcap = self.folder / "sizes.pcapng"
        capture.write_pcapng(pcap, frames)
        run = self.replay("run", pcap, "--site", SITE)
        self.assertEqual(run.stats["received"], len(frames))
        self.assertGreaterEqual(run.stats["sent"], 64)

    def trace(self, case, flow, *options):
        """Exit status, story and messages of one flow of a golden case."""
        packets = case_file.read(TESTS / "golden" / f"{case}.case").packets
        pcap = self.folder / f"{case}.pcapng"
        capture.write_pcapng(pcap, [Frame(p.place, p.time, p.data) for p in packets])
        run = subprocess.run([POSTERND, "replay", "--site", SITE, "--pcap", pcap, "--log", self.folder / "trace_log", "--trace", flow,
                              *options], capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout, run.stderr

    def test_a_trace_tells_the_story_of_a_verdict(self):
        status, story, messages = self.trace("policy_port_443_is_not_enough", "10.3.0.10:40002-10.4.0.20:443/tcp")
        self.assertEqual(status, 0, messages)
        self.assertEqual(story, (TESTS / "replay" / "cim_xml_on_443.story").read_text())

    def test_a_trace_is_the_same_for_every_number_of_workers_and_either_order_of_ends(self):
        flow = "10.4.0.20:443-10.3.0.10:40002/tcp"
        expected = (TESTS / "replay" / "cim_xml_on_443.story").read_text()
        for workers in (1, 2, 4):
            self.assertEqual(self.trace("policy_port_443_is_not_enough", flow, "--workers", str(workers))[1], expected)

    def test_a_trace_in_json_holds_rules_and_applications(self):
        status, text, _ = self.trace("policy_port_443_is_not_enough", "10.3.0.10:40002-10.4.0.20:443/tcp", "--json")
        self.assertEqual(status, 0)
        steps = json.loads(text)["steps"]
        self.assertEqual([s["step"] for s in steps], ["opened", "judged", "looked", "refined", "judged", "refused", "ended"])
        first, last = (s for s in steps if s["step"] == "judged")
        self.assertEqual((first["verdict"], last["verdict"], last["reason"]), ("pending", "drop", "policy_rule"))
        self.assertEqual([r["opinion"] for r in first["rules"] if r["rule"] in ("bmc_management", "clear_text_mgmt")],
                         ["maybe", "maybe"])
        self.assertEqual((last["rules"][-1]["rule"], last["rules"][-1]["opinion"]), ("clear_text_mgmt", "yes"))
        self.assertIn("http", [a["app_id"] for a in steps[2]["applications"] if a["fit"] == "yes"])
        again = self.trace("policy_port_443_is_not_enough", str(last["flow_id"]), "--json")
        self.assertEqual(json.loads(again[1])["steps"][-1], steps[-1])   # the number of the logs names it, too

    def test_a_trace_of_a_flow_that_is_not_there_exits_1(self):
        status, story, messages = self.trace("policy_port_443_is_not_enough", "10.3.0.10:1-10.4.0.20:443/tcp")
        self.assertEqual((status, story), (1, ""))
        self.assertIn("no packet of the flow to trace", messages)

    def test_a_malformed_flow_exits_2_and_says_what_was_expected(self):
        for flow in ("x", "0", "-1", "10.3.0.10:1", "10.3.0.10:1-10.4.0.20:443", "10.3.0.10-10.4.0.20/tcp", "1-2/3-4"):
            with self.subTest(flow):
                status, _, messages = self.trace("policy_port_443_is_not_enough", flow)
                self.assertEqual(status, 2, messages)

    def garbage(self, name, make, *options):
        places = [f"{wire}:{side}" for wire, sides in hosts.SIDES.items() for side in sides]
        rng = random.Random(name)
        pcap = self.folder / f"{name}.pcapng"
        capture.write_pcapng(pcap, (Frame(places[n & 3], case_file.START + n * 10**5, make(rng)) for n in range(GARBAGE_FRAMES)))
        run = self.replay("run", pcap, *options)
        self.assertEqual(run.stats["received"], GARBAGE_FRAMES)
        pcap.unlink()
        return run

    def test_random_bytes_are_all_accounted_for(self):
        headers = [struct.pack("!H", kind) for kind in (0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806)]

        def make(rng):
            data = rng.randbytes(rng.randrange(120))
            return data[:12] + rng.choice(headers) + data[14:] if rng.random() < 0.8 else data
        self.garbage("random", make, "--site", SITE)

    def test_mutated_frames_are_all_accounted_for(self):
        seeds = [p.data for path in sorted((TESTS / "golden").glob("*.case")) for p in case_file.read(path).packets]
        self.assertGreater(len(seeds), 100)

        def make(rng):
            data = bytearray(rng.choice(seeds))
            for _ in range(rng.randrange(4)):
                if data:
                    data[min(int(rng.expovariate(0.03)), len(data) - 1)] = rng.randrange(256)
            return bytes(data[:rng.randrange(len(data) + 1)]) if rng.random() < 0.05 else bytes(data)
        run = self.garbage("mutated", make, "--site", SITE, "--workers", 2)
        self.assertGreater(run.stats["sent"], GARBAGE_FRAMES // 50)   # mutations leave enough to get past the parser

    def test_mutated_frames_without_a_site_are_all_accounted_for(self):
        seeds = [frame.data for frame in self.frames]

        def make(rng):
            data = bytearray(rng.choice(seeds))
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            return bytes(data)
        self.garbage("flipped", make)


if __name__ == "__main__":
    unittest.main()
