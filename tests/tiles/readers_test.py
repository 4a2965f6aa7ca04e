"""The readers find what they are to find: hand-made tiles, right ones and ones with a fault."""

import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import unittest

sys.path[:0] = ["tests/run"]
import cases  # noqa: E402

TMP = pathlib.Path(os.environ["TEST_TMPDIR"])
HERE = pathlib.Path(os.path.realpath(__file__)).parent

# Two squares side by side in tile 3/4/3, each from its north-west corner clockwise.
WEST = [(100, 100), (1000, 100), (1000, 1000), (100, 1000)]
EAST = [(1000, 100), (2000, 100), (2000, 1000), (1000, 1000)]
TILE = (3, 4, 3)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def geometry(rings):
    out, x, y = b"", 0, 0
    for ring in rings:
        for index, (px, py) in enumerate(ring):
            if index < 2:
                out += varint(1 << 3 | 1 if index == 0 else len(ring) - 1 << 3 | 2)
            out += varint(zigzag(px - x)) + varint(zigzag(py - y))
            x, y = px, py
        out += varint(1 << 3 | 7)
    return out


def tile(*features, extent=4096, version=2, name="grids"):
    """The bytes of a tile; features are (code, rings)."""
    layer = field(15, version) + field(1, name.encode())
    values = ["name", ""]
    for number, (code, rings) in enumerate(features):
        values.append(code)
        tags = b"".join(map(varint, (0, len(values) - 1, 1, 0, 2, 1)))
        layer += field(
            2, field(1, number + 1) + field(2, tags) + field(3, 3) + field(4, geometry(rings))
        )
    layer += b"".join(field(3, key.encode()) for key in ("code", "name", "parent"))
    layer += b"".join(field(4, field(1, value.encode())) for value in values)
    return field(3, layer + field(5, extent))


def degrees(x, y):
    """A place of TILE in units of 1e-7 degree."""
    size = 4096 * 2 ** TILE[0]
    across, down = (TILE[1] * 4096 + x) / size, (TILE[2] * 4096 + y) / size
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * down))))
    return round((across * 360 - 180) * 1e7), round(lat * 1e7)


def border(*rings):
    """The outer border's file: the edges of these rings."""
    ends = [e for ring in rings for e in zip(ring, ring[1:] + ring[:1])]
    return b"".join(struct.pack("<4i", *degrees(*a), *degrees(*b)) for a, b in ends)


OUTER = border([(100, 100), (1000, 100), (2000, 100), (2000, 1000), (1000, 1000), (100, 1000)])


PATHS = [TMP / name for name in ("tiles", "outer", "digests", "decoded")]


def read(data, outer=OUTER):
    """What the first reader counts of one tile."""
    PATHS[0].write_bytes(struct.pack("<5I", 0, *TILE, len(data)) + data)
    PATHS[1].write_bytes(outer)
    command = ["node", HERE / "check_tiles.mjs", *PATHS[:2], "grids", *PATHS[2:], str(TILE[0])]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def read_by_gdal():
    """What the second reader counts of the tile that the first has read last."""
    command = ["/usr/bin/python3", HERE / "read_gdal.py", PATHS[0], "grids", PATHS[2]]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


class Readers(unittest.TestCase):
    def test_neighbours_that_share_their_edge(self):
        seen = read(tile(("w", [WEST]), ("e", [EAST])))
        gdal = read_by_gdal()
        self.assertEqual((seen["faults"], seen["torn"], gdal["faults"]), (0, 0, 0), seen)
        self.assertEqual((seen["edges"], seen["shared"], seen["outer"]), (8, 2, 6))
        self.assertEqual((seen["features"], gdal["features"], gdal["invalid"]), (2, 2, 0))

    def test_a_torn_border(self):
        torn = [(1000, 100), (2000, 100), (2000, 1000), (1000, 1000), (1001, 500)]
        seen = read(tile(("w", [WEST]), ("e", [torn])))
        self.assertEqual((seen["torn"], seen["faults"]), (3, 0))

    def test_a_missing_neighbour(self):
        inner = [(300, 300), (600, 300), (600, 600), (300, 600)]
        hole = inner[::-1]
        whole = border(WEST)
        for features, torn in (
            ([("w", [WEST, hole]), ("i", [inner])], 0),
            ([("w", [WEST, hole])], 4),
            ([("w", [WEST]), ("i", [inner])], 4),
        ):
            self.assertEqual(read(tile(*features), whole)["torn"], torn)

    def test_what_the_clip_border_cuts_is_not_torn(self):
        cut = [(-64, 100), (1000, 100), (1000, 1000), (-64, 1000)]
        outside = border([(-900, 100), (1000, 100), (1000, 1000), (-900, 1000)])
        seen = read(tile(("c", [cut])), outside)
        self.assertEqual((seen["torn"], seen["torn_in_buffer"], seen["faults"]), (0, 0, 0))
        self.assertEqual(seen["outer"], 3)

    def test_rings_that_are_wrong(self):
        twice = WEST[:2] + WEST[1:]
        beyond = [(100, 100), (4200, 100), (4200, 900)]
        for rings, words in (
            ([WEST[::-1]], "begins with a hole"),
            ([[(100, 100), (900, 100), (500, 100)]], "without area"),
            ([twice], "a point twice"),
            ([beyond], "beyond the buffer"),
            ([WEST, EAST[::-1]], "a hole outside"),
        ):
            seen = read(tile(("w", rings)))
            self.assertTrue(any(words in fault for fault in seen["first"]), seen["first"])
            self.assertGreater(seen["faults"], 0, words)

    def test_layers_that_are_wrong(self):
        for data in (
            tile(("w", [WEST]), version=1),
            tile(("w", [WEST]), extent=512),
            tile(("w", [WEST]), name="other"),
            tile(("w", [WEST]), ("w", [EAST])),
            tile(("", [WEST])),
        ):
            self.assertGreater(read(data)["faults"], 0)

    def test_gdal_sees_a_difference(self):
        read(tile(("w", [WEST])))
        self.assertEqual(read_by_gdal()["differ"], 0)
        PATHS[2].write_text("0" * 32 + "\n")
        self.assertEqual(read_by_gdal()["differ"], 1)

    def test_a_polygon_that_crosses_itself(self):
        bow = [(100, 100), (1000, 100), (300, 1000), (800, 1000), (100, 500)]
        seen = read(tile(("b", [bow])), border(bow))
        self.assertEqual((seen["faults"], read_by_gdal()["invalid"]), (0, 1))


if __name__ == "__main__":
    cases.main()
