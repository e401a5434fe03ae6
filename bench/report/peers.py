#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Medians of what scripts/compare-peers measured: peers.py DIRECTORY [--json FILE].

DIRECTORY holds a file of pinhole-load's a run, SERVER.RUN.ROUND.json. Prints the table; writes the
figures to FILE.
"""
import argparse
import json
import pathlib
import statistics

SERVERS = {"kamailio": "Kamailio", "af_packet": "af_packet", "memif": "memif"}
# What is measured, of which run, and its phase there.
ROWS = {
    "refresh": ("plain", 1),
    "first registration": ("plain", 0),
    "refresh, MD5 digest": ("digest", 1),
    "call answered with 302": ("call", 1),
}


def phases(results, server, run, phase):
    """Of each round that was played."""
    files = sorted(results.glob(f"{server}.{run}.*.json"))
    return [json.loads(file.read_text())["phases"][phase] for file in files]


def median(values):
    values = list(values)
    return statistics.median(values) if values else None


def latency_of(phase):
    """Calls have a histogram of their own."""
    name = "call_latency" if phase["phase"] == "call" else "latency"
    return phase[name]["p99_ns"]


def figures(results):
    """Medians over the rounds: {row: {server: {per_second, p99_ns}}}, and latency at half load."""
    rows = {}
    for row, (run, phase) in ROWS.items():
        rows[row] = {}
        for server in SERVERS:
            rounds = phases(results, server, run, phase)
            if rounds:
                rows[row][server] = {
                    "per_second": median(p["per_second"] for p in rounds),
                    "p99_ns": median(latency_of(p) for p in rounds),
                    "rounds": [p["per_second"] for p in rounds],
                }
    half = {}
    for server, phase in (("memif", 1), ("echo", 0)):
        rounds = phases(results, server, "half", phase)
        if rounds:
            half[server] = {
                "per_second": median(p["per_second"] for p in rounds),
                "p99_ns": median(latency_of(p) for p in rounds),
                "p50_ns": median(p["latency"]["p50_ns"] for p in rounds),
                "slices_p99_ns": median(p["latency_slices"]["p99_ns_median"] for p in rounds),
                "rounds": [latency_of(p) for p in rounds],
                "slices_rounds": [p["latency_slices"]["p99_ns_median"] for p in rounds],
            }
    top = phases(results, "echo", "top", 0)
    own = phases(results, "echo", "own", 0)
    if top and own:
        half["echo"]["top_per_second"] = median(p["per_second"] for p in top)
        half["echo"]["own_half_p99_ns"] = median(latency_of(p) for p in own)
        half["echo"]["own_half_slices_p99_ns"] = median(p["latency_slices"]["p99_ns_median"] for p in own)
    lost = {
        server: sum(
            p["lost"] + p["calls_lost"]
            for file in results.glob(f"{server}.*.json")
            for p in json.loads(file.read_text())["phases"]
        )
        for server in [*SERVERS, "echo"]
    }
    return {"rows": rows, "half_load": half, "lost": lost}


def ratio(row, server, what="per_second"):
    """Over Kamailio's; None if either is missing."""
    mine, peer = row.get(server), row.get("kamailio")
    return mine[what] / peer[what] if mine and peer and peer[what] else None


def text(value, form):
    return "-" if value is None else format(value, form)


def table(found):
    lines = [f"{'a second, medians':<24}{'Kamailio':>10}{'af_packet':>12}{'ratio':>7}{'memif':>13}{'ratio':>7}"]
    for name, row in found["rows"].items():
        rates = {s: text(row.get(s, {}).get("per_second"), ",.0f") for s in SERVERS}
        lines.append(
            f"{name:<24}{rates['kamailio']:>10}{rates['af_packet']:>12}{text(ratio(row, 'af_packet'), '.1f'):>7}"
            f"{rates['memif']:>13}{text(ratio(row, 'memif'), '.1f'):>7}"
        )
    lines += ["", f"{'99th percentile, ms':<24}{'Kamailio':>10}{'af_packet':>12}{'':>7}{'memif':>13}"]
    for name, row in found["rows"].items():
        shown = {s: text(row[s]["p99_ns"] / 1e6 if s in row else None, ".2f") for s in SERVERS}
        lines.append(f"{name:<24}{shown['kamailio']:>10}{shown['af_packet']:>12}{'':>7}{shown['memif']:>13}")
    half = found["half_load"]
    if "memif" in half and "echo" in half:
        memif, echo = half["memif"], half["echo"]
        lines += [
            "",
            f"99th percentile at half of memif's highest load, {memif['per_second']:,.0f}/s, us",
            f"{'':<34}{'memif':>8}{'echo':>8}{'ratio':>7}{'echo at its own half':>22}",
        ]
        for name, what in (("of a run", "p99_ns"), ("median of its tenths of a second", "slices_p99_ns")):
            lines.append(
                f"{name:<34}{memif[what] / 1e3:>8.0f}{echo[what] / 1e3:>8.0f}{memif[what] / echo[what]:>7.1f}"
                f"{echo.get('own_half_' + what, 0) / 1e3:>22.0f}"
            )
        lines.append(f"(the echo's highest load: {echo.get('top_per_second', 0):,.0f}/s)")
    lines += ["", "lost: " + ", ".join(f"{s} {n}" for s, n in found["lost"].items()) + "; wrong answers: none"]
    return "\n".join(lines)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("directory", type=pathlib.Path)
    arguments.add_argument("--json", type=pathlib.Path)
    given = arguments.parse_args()
    found = figures(given.directory)
    print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
