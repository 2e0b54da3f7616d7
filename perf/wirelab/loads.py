# SPDX-License-Identifier: Apache-2.0
"""The clients of RFC 9411, sections 7.1 to 7.9, and what one turn of each tells."""
import json
import os
import statistics
from dataclasses import dataclass, field
from functools import partial

from labkit.process import LabError
from wirelab.stand import HTTP, HTTP_TEN, HTTPS, HTTPS_TEN, SERVER, STREAM

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64
GBIT = 1e9
LEAST_SECONDS_OF_LATENCY = 1


@dataclass
class Turn:
    """One turn on one stand. `values`: by what is measured; `done` and `failed`: transactions. A connection that a peer
    reset is a failed transaction."""
    values: dict
    done: int = 0
    failed: int = 0
    times_us: list = field(default_factory=list)  # of single transactions, to plot their distribution


@dataclass(frozen=True)
class Measure:
    unit: str
    better: str = "higher"


@dataclass(frozen=True)
class Case:
    key: str
    section: str  # of RFC 9411
    measures: dict
    load: object  # called with (stand, seconds, rate)
    paced: bool = False  # needs a rate: half of what the slowest stand does unpaced


def _url(port, size):
    return f"{'http' if port in (HTTP, HTTP_TEN) else 'https'}://{SERVER}:{port}/{size}k"


def wrk_told(stand, seconds, port, size, headers=(), connections=CONNECTIONS):
    """What wrk_summary.lua writes."""
    done = stand.run("client", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", "-s",
                     f"{HERE}/wrk_summary.lua", *(word for h in headers for word in ("-H", h)), _url(port, size),
                     timeout=seconds + 30)
    return json.loads(done.stdout.strip().splitlines()[-1])


def errors_of(told):
    return told["connect"] + told["read"] + told["write"] + told["status"] + told["timeout"]


def _wrk(stand, seconds, _rate, port, size, headers=(), connections=CONNECTIONS):
    told = wrk_told(stand, seconds, port, size, headers, connections)
    rate = told["requests"] / (told["duration_us"] * 1e-6)
    return Turn({"rate": rate, "throughput": rate * size * 1024 * 8 / GBIT}, told["requests"], errors_of(told))


def _stream(stand, seconds, _rate):
    done = stand.run("client", "iperf3", "-c", SERVER, "-p", str(STREAM), "-t", str(seconds), "-J", check=False,
                     timeout=seconds + 30)
    told = json.loads(done.stdout)
    if "error" in told:
        return Turn({"throughput": 0.0}, 1, 1)
    return Turn({"throughput": told["end"]["sum_received"]["bits_per_second"] / GBIT}, 1, 0)


def _latency(stand, seconds, rate, port, size):
    """Connections of their own, timed one by one by curl, while h2load keeps the given rate in the background."""
    clients = 10
    log = f"{stand.folder}/h2load.requests"
    if os.path.exists(log):
        os.remove(log)
    seconds = max(seconds, LEAST_SECONDS_OF_LATENCY)
    load = stand.start("client", "h2load", ["h2load", "--h1", "-t1", f"-c{clients}", f"--rps={rate / clients:.0f}",
                                            f"-D{seconds}", f"--log-file={log}", _url(port, size)])
    try:
        done = stand.run("client", "curl", "-sS", "-k", "--noproxy", "*", "-H", "Connection: close", "--max-time", "5",
                         "-o", "/dev/null", "-w", "%{http_code} %{time_starttransfer} %{time_total}\n",
                         f"{_url(port, size)}?[1-{100 * seconds}]", check=False, timeout=30 + 5 * seconds)
        load.wait(seconds + 10)
    finally:
        load.kill()
        load.wait()
        stand.children.remove(load)
    probes = [line.split() for line in done.stdout.splitlines()]
    first, whole = ([float(p[i]) * 1e6 for p in probes if p[0] == "200"] for i in (1, 2))
    with open(log, encoding="ascii") as file:
        background = [fields for fields in map(str.split, file) if len(fields) == 3]
    kept = sorted(int(fields[2]) for fields in background if fields[1] == "200")
    if not first or not kept:
        raise LabError(f"no request succeeded at {rate:.0f}/s; see {stand.folder}")
    return Turn({"ttfb_p50": statistics.median(first), "ttlb_p50": statistics.median(whole),
                 "ttlb_p99": percentile(sorted(whole), 99), "kept_p50": percentile(kept, 50),
                 "kept_p99": percentile(kept, 99)},
                len(first) + len(kept), len(probes) - len(first) + len(background) - len(kept), times_us=kept)


def percentile(values, which):
    return values[min(len(values) * which // 100, len(values) - 1)]


def _concurrent(stand, seconds, _rate, port, per_second):
    wanted = per_second * seconds
    done = stand.run("client", "/usr/bin/python3", "-B", f"{HERE}/holder.py", SERVER, str(port), str(wanted),
                     "tls" if port == HTTPS else "clear", timeout=60 + 2 * seconds)
    told = json.loads(done.stdout)
    return Turn({"held": told["answered_again"]}, wanted, wanted - told["answered_again"])


def cases():
    """Everything that may be measured, in the order in which it is. Keys are stable: perf/README.md lists them."""
    rate, gbit, microseconds = Measure("1/s"), Measure("Gbit/s"), Measure("us", "lower")
    latency = {name: microseconds for name in ("ttfb_p50", "ttlb_p50", "ttlb_p99", "kept_p50", "kept_p99")}
    found = [Case("tcp_stream", "7.1", {"throughput": gbit}, _stream)]
    for scheme, port, ten, section in (("http", HTTP, HTTP_TEN, 2), ("https", HTTPS, HTTPS_TEN, 6)):
        found += [Case(f"{scheme}/connections/{size}KB", f"7.{section}", {"rate": rate},
                       partial(_wrk, port=port, size=size, headers=("Connection: close",))) for size in (1, 2, 4, 16, 64)]
        found += [Case(f"{scheme}/transactions/{size}KB", f"7.{section + 1}", {"rate": rate, "throughput": gbit},
                       partial(_wrk, port=port, size=size)) for size in (1, 16, 64, 256)]
        found += [Case(f"{scheme}/ten_per_connection/{size}KB", f"7.{section + 1}",
                       {"rate": rate, "throughput": gbit}, partial(_wrk, port=ten, size=size))
                  for size in (1, 16, 64, 256)]
        found += [Case(f"{scheme}/latency/{size}KB", f"7.{section + 2}", latency,
                       partial(_latency, port=port, size=size), paced=True) for size in (1, 16, 64)]
        found.append(Case(f"{scheme}/concurrent", f"7.{section + 3}", {"held": Measure("connections")},
                          partial(_concurrent, port=port, per_second=1000 if scheme == "http" else 200)))
    return found


def unpaced_rate(stand, port, size):
    """Transactions per second of a second without a pace."""
    return _wrk(stand, 1, 0, port, size).values["rate"]
