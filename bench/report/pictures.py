# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of the results, drawn by gnuplot: cost against contacts, throughput against peers."""
import subprocess
import textwrap

SVG = 'set terminal svg size 760,440 font "sans,13" background "white"\n'
CURVES = {
    "refresh": "REGISTER that refreshes",
    "refresh_md5": "the same with MD5",
    "first_registration": "first registration",
    "invite_redirected": "INVITE answered with 302",
}
SERVERS = {"kamailio": "Kamailio", "af_packet": "pinhole, same veth", "memif": "pinhole, memif"}


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def block(name, lines):
    return f"${name} << END\n" + "\n".join(lines) + "\nEND\n"


def cost(figures, path):
    """Nanoseconds a packet by the number of contacts. False: too little was measured."""
    curves = {name: figures.sizes(name) for name in CURVES}
    if len(curves["refresh"]) < 2:
        return False
    script = SVG + f'set output "{path}"\n'
    for name, sizes in curves.items():
        script += block(name, [f"{size} {figures.get(name, size)}" for size in sizes])
    floors = [f"{size} {figures.get('refresh', size, 'floor_ns')}" for size in curves["refresh"]]
    script += block("floor", floors)
    script += (
        "set logscale x\nset format x '%.0s%c'\nset yrange [0:*]\nset key above\nset grid\n"
        "set xlabel 'contacts in the table'\nset ylabel 'ns a packet, one core'\n"
    )
    plots = [f"${name} with linespoints lw 2 title '{CURVES[name]}'" for name in curves if curves[name]]
    plots.append("$floor with linespoints lw 2 dt 2 title 'floor: scan, one record of 4 M, 450 bytes written'")
    gnuplot(script + "plot " + ", ".join(plots) + "\n")
    return True


def peers(figures, path):
    """Requests a second of each server."""
    rows = (figures.peers or {"rows": {}})["rows"]
    if not rows:
        return False
    lines = []
    for name, row in rows.items():
        rates = [row.get(server, {}).get("per_second") or "?" for server in SERVERS]
        label = "\\n".join(textwrap.wrap(name, 14))
        lines.append(f'"{label}" ' + " ".join(str(rate) for rate in rates))
    script = SVG + f'set output "{path}"\n' + block("rates", lines)
    script += (
        "set datafile missing '?'\nset style data histogram\nset style histogram clustered gap 1\n"
        "set style fill solid 0.8 border -1\nset logscale y\nset yrange [1000:*]\nset format y '%.0s%c'\n"
        "set bmargin 4\nset grid y\nset key above\nset ylabel 'a second, one core, logarithmic'\nset xtics scale 0\n"
    )
    plots = [
        f"$rates using {column}{':xtic(1)' if column == 2 else ''} title '{title}'"
        for column, title in enumerate(SERVERS.values(), 2)
    ]
    gnuplot(script + "plot " + ", ".join(plots) + "\n")
    return True


def draw(figures, directory):
    """Those that there are figures for; their paths."""
    drawn = []
    for name, draw_one in (("cost", cost), ("peers", peers)):
        path = directory / f"{name}.svg"
        if draw_one(figures, path):
            drawn.append(path)
    return drawn
