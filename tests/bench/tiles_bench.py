"""Cold tiles, side by side with PostGIS ST_AsMVT on the same polygons: ./dev bench tiles

Ours: one thread encodes each tile from the borders in memory; no cache. PostGIS: one connection to
a server of the benchmark's own, everything in its memory, timed twice: inside the server, so that
no byte leaves it, and by a client that gets binary results over a unix socket. The three take
turns, round by round. Then both tear counts: see tests/tiles.

    tests/bench/tiles_bench.py [--rounds N] [--seed N] [--tiles N] [--zooms 5,6,…] [--data demo,fr]
                               [--markdown FILE] [--built FOLDER]

--built: bazel-bin with what is needed built already. Without it, it is built by Bazel, optimised.
"""

import argparse
import datetime
import json
import math
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path[:0] = [os.path.join(ROOT, "tests/run"), os.path.join(ROOT, "tests/bench")]
import bazel  # noqa: E402
import tiles_postgres as peer  # noqa: E402
from count import built_files  # noqa: E402

LABELS = ("//services/cli:gridwarden", "//tests/bench:tiles_cold", "//tests/tiles:tile_dump")
LAYER = "grids"
POINTS = 4000
PASS_S = 0.25  # a pass of ours repeats its tiles until it has lasted this long
COMMAND = "./dev bench tiles"


# --- what is measured -----------------------------------------------------------------------------


def build(folder):
    """Label -> program."""
    if folder:
        return {label: f"{folder}/{label[2:].replace(':', '/')}" for label in LABELS}
    status, events = bazel.events("build", "--config=opt", *LABELS)
    if status != 0:
        sys.exit("tiles_bench: the programs did not build")
    return built_files(events)


def make_demo(programs, folder, seed):
    program = programs["//services/cli:gridwarden"]
    subprocess.run(
        [program, "demo", "generate", "--out", f"{folder}/city", "--seed", str(seed)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    files = sorted(
        f"{folder}/city/{name}"
        for name in os.listdir(f"{folder}/city")
        if name.endswith(".geojson")
    )
    return import_files(
        program,
        files,
        f"{folder}/demo",
        f"SYNTHETIC demo city, seed {seed}",
        "--name-field",
        "name",
        "--kind-field",
        "kind",
        "--parent-field",
        "parent",
        "--areas",
        f"{folder}/city/areas.csv",
    )


def make_fr(programs, folder, _seed):
    shared = os.environ.get("GW_SHARED_DATA") or os.path.join(ROOT, "..", "shared", "data")
    files = [f"{shared}/fr/communes-{number}.geojson" for number in (59, 62)]
    if not all(map(os.path.exists, files)):
        print("tiles_bench: no shared data (GW_SHARED_DATA): fr is left out")
        return None
    return import_files(
        programs["//services/cli:gridwarden"],
        files,
        f"{folder}/fr",
        "communes of Nord and Pas-de-Calais",
        "--name-field",
        "nom",
    )


def import_files(program, files, data, label, *options):
    subprocess.run(
        [
            program,
            "import",
            *files,
            "--data",
            data,
            "--crs",
            "EPSG:4326",
            "--code-field",
            "code",
            "--label",
            label,
            "--publish",
            *options,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return f"{data}/editions/grid-1.gwe"


def tiles_under(points, zoom, most):
    """The distinct tiles of these points in order, `most` at most."""
    tiles, size = {}, 2**zoom
    for lon, lat in points:
        sine = math.sin(math.radians(lat * 1e-7))
        x = int((lon * 1e-7 / 360 + 0.5) * size)
        y = int((0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * size)
        tiles[x, y] = None
        if len(tiles) == most:
            break
    return list(tiles)


class Ours:
    """tiles_cold, driven line by line."""

    def __init__(self, program, edition):
        self.process = subprocess.Popen(
            [program, edition, LAYER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("tiles_bench: tiles_cold ended early, see above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def flat(tiles):
    return [number for tile in tiles for number in tile]


def run_ours(ours, zoom, tiles, repeat):
    answer = ours.ask("run", zoom, *flat(tiles * repeat))
    return {key: value / repeat for key, value in answer.items()}


def run_inside(client, zoom, tiles):
    began = client.server_s()
    size = client.inside(zoom, flat(tiles))
    return {"s": client.server_s() - began, "bytes": size}


def run_client(client, zoom, tiles):
    began = client.server_s() + time.process_time()
    size = sum(client.size(zoom, x, y) for x, y in tiles)
    return {"s": client.server_s() + time.process_time() - began, "bytes": size}


def measure(ours, client, zoom, tiles, rounds):
    """Medians over the rounds; within a round the three take turns, in a changing order."""
    got = {"ours": [], "inside": [], "client": []}
    first = run_ours(ours, zoom, tiles, 1)  # warms all three up
    run_inside(client, zoom, tiles)
    repeat = max(1, math.ceil(PASS_S / max(first["encode_s"], 1e-6) / 4))
    repeat = min(repeat, max(1, 20000 // len(tiles)))
    runs = [
        ("ours", lambda: run_ours(ours, zoom, tiles, repeat)),
        ("inside", lambda: run_inside(client, zoom, tiles)),
        ("client", lambda: run_client(client, zoom, tiles)),
    ]
    for turn in range(rounds):
        for name, run in runs[turn % 3 :] + runs[: turn % 3]:
            got[name].append(run())
    middle = {
        (name, key): statistics.median(one[key] for one in many)
        for name, many in got.items()
        for key in many[0]
    }
    count = len(tiles)
    inside, encode = middle["inside", "s"] / count, middle["ours", "encode_s"] / count
    client_s, pack = middle["client", "s"] / count, middle["ours", "pack_s"] / count
    return {
        "zoom": zoom,
        "tiles": count,
        "ours_s": encode,
        "pack_s": pack,
        "inside_s": inside,
        "client_s": client_s,
        "ratio": inside / encode,
        "ratio_client": client_s / encode,
        "ratio_packed": inside / (encode + pack),
        "bytes": middle["ours", "bytes"] / count,
        "packed": middle["ours", "packed"] / count,
        "peer_bytes": middle["inside", "bytes"] / count,
    }


# --- torn borders ---------------------------------------------------------------------------------


def tears(programs, folder, edition, ours, client, lists):
    """What tests/tiles/check_tiles.mjs counts in the same tiles of both: {} where it cannot run."""
    checker = f"{ROOT}/tests/tiles/check_tiles.mjs"
    if not os.path.isdir(f"{ROOT}/tests/tiles/node_modules"):
        print("tiles_bench: tests/tiles/node_modules is missing, so tears are not counted")
        return {}
    mine, theirs, outer = (f"{folder}/{name}" for name in ("mine", "theirs", "outer"))
    for path in (mine, theirs):
        if os.path.exists(path):
            os.remove(path)
    subprocess.run(
        [programs["//tests/tiles:tile_dump"], edition, "0", f"{folder}/none", outer],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with open(theirs, "wb") as out:
        for zoom, tiles in lists.items():
            ours.ask("save", mine, zoom, *flat(tiles))
            for x, y in tiles:
                data = client.tile(zoom, x, y)
                out.write(struct.pack("<5I", 0, zoom, x, y, len(data)) + data)
    counts = {}
    for name, path in (("ours", mine), ("PostGIS", theirs)):
        done = subprocess.run(
            ["node", checker, path, outer, LAYER, "/dev/null", "/dev/null", "99"],
            check=True,
            capture_output=True,
            text=True,
        )
        counts[name] = json.loads(done.stdout)
    return counts


# --- telling ------------------------------------------------------------------------------------


def time_text(seconds):
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


HEAD = (
    "zoom",
    "tiles",
    "ours",
    "PostGIS",
    "",
    "PostGIS to a client",
    "",
    "with our gzip",
    "bytes: ours",
    "gzipped",
    "PostGIS",
)


def cells(row):
    return (
        str(row["zoom"]),
        str(row["tiles"]),
        time_text(row["ours_s"]),
        time_text(row["inside_s"]),
        f"{row['ratio']:.1f}x",
        time_text(row["client_s"]),
        f"{row['ratio_client']:.1f}x",
        f"{row['ratio_packed']:.1f}x",
        f"{row['bytes']:.0f}",
        f"{row['packed']:.0f}",
        f"{row['peer_bytes']:.0f}",
    )


def print_row(row):
    print("  ".join(f"{cell:>11}" for cell in cells(row)), flush=True)


def table(rows):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---:|" * len(HEAD)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def tears_table(counts):
    zooms = sorted({zoom for count in counts.values() for zoom in count["torn_by_zoom"]}, key=int)
    lines = ["| | borders looked at | torn | by zoom |", "|---|---:|---:|---|"]
    for name, count in counts.items():
        by_zoom = ", ".join(
            f"{z}: {count['torn_by_zoom'][z]}" for z in zooms if z in count["torn_by_zoom"]
        )
        lines.append(f"| {name} | {count['edges']} | {count['torn']} | {by_zoom} |")
    return "\n".join(lines)


def surroundings():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{names[0] if names else 'unknown'}, {os.cpu_count()} threads", load, commit


INTRODUCTION = """# Cold tiles, side by side with PostGIS

How long one tile of the layer of grids takes when nothing is cached, asked in one run of one
thread of ours and of one connection to PostGIS (`ST_AsMVT` over `ST_AsMVTGeom`, 4096 units,
buffer 64) on the same polygons with the same properties. PostGIS keeps its geometries in
EPSG:3857 under a GiST index, vacuumed and analysed, all in memory, without JIT and second
processes. "PostGIS" is timed inside its server by a loop of its own, where no byte leaves it; "to
a client" by libpq, prepared, with binary results over a unix socket, and has the client's own
time in it. Ours is the encoding alone, as PostGIS does not compress; "with our gzip" adds the
gzip and the tag that the node needs once for each tile. Times are processor time for one tile (on
both sides everything is in memory, so nothing waits): medians of {rounds} rounds over all tiles
of a zoom under {points} random points that a grid answers for, {most} at most. The three take
turns, so that a busy machine slows all of them alike.
"""

TEARS = """
Torn borders, counted by the same program (`tests/tiles/check_tiles.mjs`) in the same tiles: edges
of a feature inside the tile's square that no neighbour has in reverse, though the coverage goes
on there.
"""


def markdown(options, results, load, server_version):
    cpu, _, commit = surroundings()
    text = INTRODUCTION.format(rounds=options.rounds, points=POINTS, most=options.tiles)
    for result in results:
        info = result["info"]
        text += f"\n## {info['label']}: {info['grids']} grids, {info['vertices']} vertices\n\n"
        text += table(result["rows"]) + "\n"
        if result["tears"]:
            text += TEARS + "\n" + tears_table(result["tears"]) + "\n"
        text += (
            f"\nOur borders are made once for an edition, in {info['make_s']:.2f} s here; "
            f"PostGIS loads, projects and indexes in {result['load_s']:.2f} s.\n"
        )
    text += f"""
- Machine: {cpu}; load average {load} before the run. {datetime.date.today().isoformat()}.
- {server_version}. Compiler: {results[0]['info']['compiler']} (flags: `build:opt` in .bazelrc).
- Commit: {commit}. Seed of the points: {options.seed}.
- Repeat it: `{COMMAND}`
"""
    return text


# --- all of it ----------------------------------------------------------------------------------


def bench(options, programs, folder, edition, server):
    ours = Ours(programs["//tests/bench:tiles_cold"], edition)
    info = ours.ask("info")
    if not info["optimised"]:
        print("NOT optimised: these figures mean nothing")
    rows_path = f"{folder}/rows"
    ours.ask("copy", rows_path)
    os.chmod(rows_path, 0o644)
    began = time.monotonic()
    server.load(rows_path)
    load_s = time.monotonic() - began
    client = peer.Client(server)
    points = ours.ask("points", options.seed, POINTS)["points"]
    random.Random(options.seed).shuffle(points)
    print(f"\n{info['label']}: {info['grids']} grids, {info['vertices']} vertices")
    print("  ".join(f"{name[-11:]:>11}" for name in HEAD))
    rows, lists = [], {}
    for zoom in options.zooms:
        tiles = lists[zoom] = tiles_under(points, zoom, options.tiles)
        rows.append(measure(ours, client, zoom, tiles, options.rounds))
        print_row(rows[-1])
    counts = tears(programs, folder, edition, ours, client, lists)
    if counts:
        print(tears_table(counts))
    client.close()
    ours.close()
    return {"info": info, "rows": rows, "tears": counts, "load_s": load_s}


def parse():
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tiles", type=int, default=200, help="of a zoom, at most")
    parser.add_argument("--zooms", default="5,6,7,8,9,10,11,12")
    parser.add_argument("--data", default="demo,fr")
    parser.add_argument("--markdown", metavar="FILE")
    parser.add_argument("--built", metavar="FOLDER", help="bazel-bin, instead of building")
    options = parser.parse_args()
    options.zooms = [int(zoom) for zoom in options.zooms.split(",")]
    return options


def main():
    options = parse()
    load = surroundings()[1]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends with us
    programs = build(options.built)
    makers = {"demo": make_demo, "fr": make_fr}
    results = []
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as folder:
        os.chmod(folder, 0o755)
        try:
            server = peer.Server()
        except peer.Missing as missing:
            sys.exit(f"tiles_bench: install {missing}")
        try:
            for name in options.data.split(","):
                edition = makers[name](programs, folder, options.seed)
                if edition:
                    results.append(bench(options, programs, folder, edition, server))
            version = server.version() if results else ""
            print(version)
        finally:
            server.close()
    if options.markdown and results:
        with open(options.markdown, "w", encoding="utf-8") as out:
            out.write(markdown(options, results, load, version))
    worst = min((row["ratio"] for result in results for row in result["rows"]), default=0)
    print(f"\nworst ratio: {worst:.1f}x")


if __name__ == "__main__":
    main()
