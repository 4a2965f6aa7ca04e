"""Every tile of the demo city and of the French communes, as readers that are not ours see it.

Each polygon layer is encoded for zooms 0 to 14, all of it (tile_dump). Then:
  - @mapbox/vector-tile reads every tile: version, extent, properties, ids, closed rings that wind
    as they should, and neighbours that share their edges vertex for vertex (check_tiles.mjs);
  - GDAL's MVT driver reads the same features of every tile, and GEOS judges them (read_gdal.py);
    Both are strict from the zoom on at which clients ask for a layer; on the zooms below, which the
    node serves too, features of a unit's size turn inside out or fold: rare, counted and bounded;
  - what was decoded at zoom 14 lies within one tile unit of what is stored, both ways
    (tile_distance).

    ./dev test //tests/tiles/...
"""

import glob
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path[:0] = ["tests/run"]
import cases  # noqa: E402

TMP = pathlib.Path(os.environ["TEST_TMPDIR"])
ROOT = pathlib.Path.cwd()
# Bazel links this file to its source, beside which npm has put its packages.
HERE = pathlib.Path(os.path.realpath(__file__)).parent
PROGRAM = ROOT / "services/cli/gridwarden"
SHARED = os.environ.get("GW_SHARED_DATA", "")
LAYERS = "grids,villages,townships,counties,cities"
ZOOM_MAX = 14
ACCEPTED = 1.0  # tile units
RARE = 1000  # features for one fault


def run(*command):
    began = time.monotonic()
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True
    )
    name = pathlib.Path(
        str(command[1 if str(command[0]).endswith(("node", "python3")) else 0])
    ).name
    print(f"# {name}: {time.monotonic() - began:.1f} s: {done.stdout.strip()}", flush=True)
    return done.stdout


def answer(*command):
    return json.loads(run(*command))


def import_edition(files, data, *options):
    run(
        PROGRAM,
        "import",
        *files,
        "--data",
        data,
        "--crs",
        "EPSG:4326",
        "--code-field",
        "code",
        "--label",
        "tiles",
        "--publish",
        *options,
    )
    return data / "editions/grid-1.gwe"


class Tiles:
    """What holds for the tiles of an edition; below, of which."""

    @classmethod
    def setUpClass(cls):
        if not (HERE / "node_modules/@mapbox/vector-tile").is_dir():
            raise AssertionError(
                "tests/tiles/node_modules is missing: ./dev test installs it, or by hand: "
                "cd tests/tiles && npm ci --ignore-scripts"
            )
        folder = TMP / cls.__name__
        folder.mkdir()
        edition = cls.edition(folder)
        tiles, outer = folder / "tiles", folder / "outer"
        digests, decoded = folder / "digests", folder / "decoded"
        run(ROOT / "tests/tiles/tile_dump", edition, ZOOM_MAX, tiles, outer)
        cls.read = answer(
            "node", HERE / "check_tiles.mjs", tiles, outer, LAYERS, digests, decoded, ZOOM_MAX
        )
        cls.gdal = answer("/usr/bin/python3", HERE / "read_gdal.py", tiles, LAYERS, digests)
        cls.distance = answer(ROOT / "tests/tiles/tile_distance", edition, decoded)
        tiles.unlink()
        decoded.unlink()

    def test_every_tile_is_read(self):
        self.assertGreater(self.read["tiles"], 1000)
        self.assertEqual(self.read["shown_faults"], 0, self.read["first"])
        self.assertLessEqual(self.read["faults"], self.read["features"] / RARE)
        for layer in self.layers:
            self.assertGreater(self.read["by_layer"].get(layer, 0), 1000, layer)

    def test_neighbours_share_their_edges(self):
        self.assertGreater(self.read["shared"], 100000)
        self.assertEqual(self.read["shown_torn"], 0, self.read["first"])
        self.assertEqual(self.read["torn_in_buffer"], 0)
        self.assertLessEqual(self.read["torn"], self.read["edges"] / 100000, self.read)

    def test_gdal_reads_the_same(self):
        self.assertEqual(self.gdal["faults"], 0, self.gdal["first"])
        self.assertEqual(self.gdal["differ"], 0)
        self.assertEqual(self.gdal["tiles"], self.read["tiles"])
        self.assertEqual(self.gdal["features"], self.read["features"])

    def test_polygons_are_valid(self):
        self.assertGreater(self.gdal["features"], 10000)
        self.assertEqual(self.gdal["shown_invalid"], 0, self.gdal["first"])
        self.assertLessEqual(self.gdal["invalid"], self.gdal["features"] / 200)

    def test_decoded_lies_where_it_is_stored(self):
        self.assertGreater(self.distance["features"], 10000)
        self.assertEqual(self.distance["unexpected"], 0)
        self.assertEqual(self.distance["missing"], 0)
        self.assertLessEqual(self.distance["stored_to_decoded"], ACCEPTED)
        self.assertLessEqual(self.distance["decoded_to_stored"], ACCEPTED)


class DemoCity(Tiles, unittest.TestCase):
    layers = LAYERS.split(",")

    @classmethod
    def edition(cls, folder):
        run(PROGRAM, "demo", "generate", "--out", folder / "city", "--seed", 1)
        return import_edition(
            sorted(glob.glob(f"{folder}/city/*.geojson")), folder / "data",
            "--name-field", "name", "--kind-field", "kind", "--parent-field", "parent",
            "--areas", folder / "city/areas.csv",
        )  # fmt: skip


@unittest.skipUnless(
    SHARED and os.path.isdir(SHARED + "/fr"), "the shared data isn't here (GW_SHARED_DATA)"
)
class FrenchCommunes(Tiles, unittest.TestCase):
    layers = ["grids"]

    @classmethod
    def edition(cls, folder):
        files = [f"{SHARED}/fr/communes-{number}.geojson" for number in (59, 62)]
        return import_edition(files, folder / "data", "--name-field", "nom")


if __name__ == "__main__":
    cases.main()
