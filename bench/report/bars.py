#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The table of bars: bars.py DIRECTORY --rows ROW,... [--into DIRECTORY --machine JSON].

DIRECTORY holds what the benchmarks wrote: pipeline.json, workers.json, qualify.json, rate.json (Google Benchmark's)
and peers.json (peers.py's), as far as they were run. Prints the rows with their bars; writes a results
file and pictures.
"""
import argparse
import json
import pathlib
import statistics

import pictures

SIZES = {10_000: "10 k", 100_000: "100 k", 1_000_000: "1 M", 4_000_000: "4 M", 10_000_000: "10 M"}


def size_text(contacts):
    return SIZES.get(contacts, f"{contacts:,}")


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


class Figures:
    """Medians over the repetitions: of a benchmark, its contacts and a counter."""

    def __init__(self, directory):
        self.directory = directory
        self.values = {}
        self.errors = []
        for name in ("pipeline", "workers", "qualify", "rate"):
            for run in (read(directory / f"{name}.json") or {"benchmarks": []})["benchmarks"]:
                if run["run_type"] == "iteration":
                    self.add(run)
        self.peers = read(directory / "peers.json")

    def add(self, run):
        parts = run["name"].split("/")
        key = (parts[0], int(parts[1]))
        if run.get("error_occurred"):
            self.errors.append(f"{parts[0]} at {size_text(key[1])}: {run['error_message']}")
            return
        for counter, value in run.items():
            if isinstance(value, (int, float)):
                self.values.setdefault(key, {}).setdefault(counter, []).append(value)

    def get(self, benchmark, contacts, counter="ns"):
        """None if it wasn't measured."""
        values = self.values.get((benchmark, contacts), {}).get(counter)
        return statistics.median(values) if values else None

    def sizes(self, benchmark):
        return sorted(contacts for name, contacts in self.values if name == benchmark)

    def medians(self):
        """All of them, for the results file."""
        return [
            {"benchmark": name, "contacts": contacts}
            | {counter: statistics.median(values) for counter, values in counters.items()}
            for (name, contacts), counters in sorted(self.values.items())
        ]


class Row:
    def __init__(self, name, what, measured, bar, at_least=False, detail=""):
        self.name, self.what, self.measured, self.bar = name, what, measured, bar
        self.at_least, self.detail = at_least, detail

    @property
    def met(self):
        if self.measured is None:
            return None
        return self.measured >= self.bar if self.at_least else self.measured <= self.bar

    def line(self):
        measured = "-" if self.measured is None else number(self.measured)
        bar = (">= " if self.at_least else "<= ") + number(self.bar)
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return f"{self.what:<33}{measured:>8}{bar:>9}  {verdict:<7}{self.detail}".rstrip()

    def json(self):
        return {
            "row": self.name,
            "what": self.what,
            "measured": self.measured,
            "bar": self.bar,
            "at_least": self.at_least,
            "met": self.met,
            "detail": self.detail,
        }


def number(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def over(value, peer):
    return value / peer if value is not None and peer else None


def ns(value):
    return "" if value is None else f"{value:,.0f} ns"


def pipeline_rows(f, size, top):
    refresh, floor = f.get("refresh", size), f.get("refresh", size, "floor_ns")
    md5, sha = f.get("refresh_md5", size), f.get("refresh_sha256", size)
    first = f.get("first_registration", size)
    small, large = f.get("refresh", 10_000), f.get("refresh", top)
    beyond = sha - refresh if sha is not None and refresh is not None else None
    at = size_text(size)
    floor_text = "" if floor is None else f"{ns(refresh)}; floor {ns(floor)}"
    growth = "" if small is None else f"{ns(large)}, {ns(small)}"
    return [
        Row("refresh", f"refresh at {at}, over the floor", over(refresh, floor), 4, detail=floor_text),
        Row("md5", "the same with MD5, over it", over(md5, refresh), 1.5, detail=ns(md5)),
        Row("sha256", "with SHA-256, ns beyond it", beyond, 250, detail=ns(sha)),
        Row("first", "first registration, over it", over(first, refresh), 2, detail=ns(first)),
        Row("growth", f"refresh at {size_text(top)}, over 10 k", over(large, small), 1.5, detail=growth),
    ]


def workers_rows(f, size):
    rows = []
    for what, benchmark, bar in (
        ("refresh", "two_workers_refresh", 1.8),
        ("first registration", "two_workers_first_registration", 1.5),
    ):
        cores = f.get(benchmark, size, "core_to_core_ns")
        detail = "" if cores is None else f"core to core {ns(cores)}"
        what = f"two workers, {what}"
        rows.append(Row("workers", what, f.get(benchmark, size, "ratio"), bar, True, detail))
    return rows


def peers_rows(f):
    rows = []
    row = (f.peers or {"rows": {}})["rows"].get("refresh, MD5 digest", {})
    peer = row.get("kamailio", {}).get("per_second")
    for name, server, bar in (("memif", "memif", 35), ("veth", "af_packet", 6)):
        mine = row.get(server, {}).get("per_second")
        detail = "" if mine is None or peer is None else f"{mine:,.0f}/s, {peer:,.0f}/s"
        rows.append(Row(name, f"over Kamailio, digest, {name}", over(mine, peer), bar, True, detail))
    half = (f.peers or {"half_load": {}})["half_load"]
    for what, name in (
        ("p99_ns", "99 % at half load, over an echo"),
        ("slices_p99_ns", "the same, median of tenths of a s"),
    ):
        mine, echo = (half.get(server, {}).get(what) for server in ("memif", "echo"))
        own = half.get("echo", {}).get("own_half_" + what)
        detail = "" if mine is None or echo is None else f"{mine / 1e3:,.0f} us, {echo / 1e3:,.0f} us"
        detail += "" if own is None else f", at its own half {own / 1e3:,.0f} us"
        rows.append(Row("latency", name, over(mine, echo), 2, detail=detail))
    return rows


def last_rows(f, size):
    refresh, lookup = f.get("refresh", size), f.get("invite_redirected", size)
    parts = [f.get("memory", size, part + "_bytes") for part in ("index", "record", "control")]
    detail = "" if None in parts else " + ".join(f"{part:.0f}" for part in parts)
    loss, ping = f.get("qualify", size, "loss"), f.get("qualify", size, "ping_ns")
    lost = None if loss is None else 100 * loss
    return [
        Row("memory", "bytes a contact", f.get("memory", size, "bytes"), 320, detail=detail),
        Row("lookup", "call answered 302, over refresh", over(lookup, refresh), 1, detail=ns(lookup)),
        Row("qualify", "% of refreshes lost to pings", lost, 10, detail="" if ping is None else f"{ns(ping)} a ping"),
    ]


def rate_rows(f, top):
    carried, answered, late, lag = (
        f.get("ping_rate", top, counter) for counter in ("pings_a_second", "answered", "late", "lag_ms")
    )
    busiest, promised = (f.get("ping_rate", top, counter) for counter in ("busiest_10_ms", "promised"))
    detail = "" if carried is None else f"{100 * answered:.2f} % answered, {100 * late:.2f} % late, lag {lag:,.0f} ms"
    most = "" if busiest is None else f"{busiest:,.0f} of {promised:,.0f}"
    at = size_text(top)
    return [
        Row("rate", f"pings a second to {at}", carried, 400_000, True, detail),
        Row("rate", "most in 10 ms, over the promise", over(busiest, promised), 1, detail=most),
    ]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("directory", type=pathlib.Path)
    arguments.add_argument("--rows", required=True)
    arguments.add_argument("--contacts", type=int, default=4_000_000)
    arguments.add_argument("--top", type=int, default=10_000_000)
    arguments.add_argument("--into", type=pathlib.Path)
    arguments.add_argument("--name", default="results")
    arguments.add_argument("--machine", type=json.loads, default={})
    given = arguments.parse_args()
    f = Figures(given.directory)
    rows = pipeline_rows(f, given.contacts, given.top) + workers_rows(f, given.contacts)
    rows += peers_rows(f) + last_rows(f, given.contacts) + rate_rows(f, given.top)
    wanted = given.rows.split(",")
    rows = [row for row in rows if row.name in wanted]
    print(f"{'one worker core, medians':<33}{'measured':>8}{'bar':>9}")
    for row in rows:
        print(row.line())
    for error in f.errors:
        print(f"not measured: {error}")
    if given.into:
        given.into.mkdir(parents=True, exist_ok=True)
        results = given.machine | {"rows": [row.json() for row in rows], "benchmarks": f.medians(), "peers": f.peers}
        file = given.into / f"{given.name}.json"
        file.write_text(json.dumps(results, indent=2) + "\n")
        written = [file, *pictures.draw(f, given.into)]
        print("written: " + " ".join(str(path) for path in written))


if __name__ == "__main__":
    main()
