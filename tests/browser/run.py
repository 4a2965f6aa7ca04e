"""The page in a real browser on a real node with the demo city: `./dev test` runs it as "page".

    python3 tests/browser/run.py [--out DIR]

Makes and imports the demo city, starts the node of build/gridwarden with the page of build/web,
plays the city's day at real time beside it (so that somebody answers an offer), and hands over to
web/e2e/page.mjs, which drives Debian's Chromium and prints one line a case. Screenshots are kept in
build/screenshots.
"""

import argparse
import glob
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("GW_PROGRAM", str(ROOT / "build/gridwarden"))
os.chdir(ROOT)
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

SEED = "1"
LABEL = "SYNTHETIC demo city"


def moved_city(city, out):
    """The city again with its first grid's name changed and one corner that it shares moved north
    by 2 m for everyone who has it; so a border moves and the coverage stays whole."""
    out.mkdir()
    files = {path: json.loads(pathlib.Path(path).read_text()) for path in sorted(glob.glob(city))}
    first = next(iter(files.values()))["features"][0]
    first["properties"]["name"] += "（新版）"
    geometry = first["geometry"]
    ring = geometry["coordinates"][0]
    if geometry["type"] == "MultiPolygon":
        ring = ring[0]
    corner = list(ring[len(ring) // 2])

    def move(node):
        if isinstance(node[0], (int, float)):
            return [node[0], round(node[1] + 2e-5, 7)] if node == corner else node
        return [move(part) for part in node]

    for path, collection in files.items():
        for feature in collection["features"]:
            feature["geometry"]["coordinates"] = move(feature["geometry"]["coordinates"])
        (out / pathlib.Path(path).name).write_text(json.dumps(collection, ensure_ascii=False))
    return first["properties"]["code"]


IMPORT = (
    "--crs EPSG:4326 --code-field code --name-field name --kind-field kind --parent-field parent"
).split()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=str(ROOT / "build/screenshots"))
    options = parser.parse_args()
    data, city, moved = (harness.new_folder(name) for name in ("data", "city", "moved"))
    harness.run("demo", "generate", "--out", city, "--seed", SEED)
    areas = ["--areas", city / "areas.csv"]
    files = sorted(glob.glob(f"{city}/*.geojson"))
    harness.run("import", *files, "--data", data, *IMPORT, *areas, "--label", LABEL, "--publish")
    changed = moved_city(f"{city}/*.geojson", moved)
    node = harness.Node(data)
    play = None
    try:
        play = subprocess.Popen(
            [harness.PROGRAM, "demo", "play", "--server", node.target, "--seed", SEED]
            + ["--speed", "1", "--hours", "1", "--begin-hour", "9", "--quiet"],
            stdout=subprocess.DEVNULL,
        )
        wait_for_workers(node)
        publish = [harness.PROGRAM, "import", *sorted(glob.glob(f"{moved}/*.geojson")), *IMPORT]
        publish += [*map(str, areas), "--label", LABEL, "--server", node.target, "--publish"]
        locate = [harness.PROGRAM, "locate", "--server", node.target, "--json"]
        done = subprocess.run(
            ["node", "web/e2e/page.mjs", f"http://127.0.0.1:{node.http_port}", options.out]
            + ["--publish-command", shlex.join(map(str, publish)), "--changed-grid", changed]
            + ["--locate-command", shlex.join(locate)],
            timeout=300,
        )
        return done.returncode
    finally:
        if play is not None:
            play.terminate()
            play.wait()
        node.stop()


def wait_for_workers(node):
    """Until the play's roster is on duty and known by position."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status, text = node.http("/metrics")
        for line in text.splitlines():
            if line.startswith("gridwarden_workers_with_position ") and float(line.split()[1]) > 0:
                return
        time.sleep(0.05)
    raise AssertionError("no worker has a position after a minute")


if __name__ == "__main__":
    sys.exit(main())
