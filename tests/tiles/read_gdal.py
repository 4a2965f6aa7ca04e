"""Reads tiles by GDAL's MVT driver, which is not ours: python3 read_gdal.py TILES LAYERS DIGESTS

Each tile has to open, hold one layer of its name, and give the same features as @mapbox/vector-tile
read (DIGESTS of check_tiles.mjs); each polygon has to be one that GEOS calls valid, or is counted.
Prints one line of JSON.
"""

import hashlib
import json
import struct
import sys

from osgeo import gdal, ogr

FAULTS_SHOWN = 12
EXTENT = 4096
# Zooms from which clients ask for the layers; below, many features are smaller than a tile unit.
SHOWN_FROM = {"grids": 9, "villages": 8, "townships": 6, "counties": 3, "cities": 0}

gdal.UseExceptions()


def frames(path):
    with open(path, "rb") as file:
        while head := file.read(20):
            layer, z, x, y, size = struct.unpack("<5I", head)
            yield layer, z, x, y, file.read(size)


def rings_of(wkb):
    """The rings of a (multi)polygon in little-endian WKB as flat tuples of doubles, in order."""
    kind = struct.unpack_from("<I", wkb, 1)[0]
    polygons, at = (struct.unpack_from("<I", wkb, 5)[0], 9) if kind == 6 else (1, 0)
    for _ in range(polygons):
        count = struct.unpack_from("<I", wkb, at + 5)[0]
        at += 9
        for _ in range(count):
            points = struct.unpack_from("<I", wkb, at)[0]
            yield struct.unpack_from(f"<{2 * points}d", wkb, at + 4)
            at += 4 + 16 * points


def digest_of(geometry, fid):
    """What check_tiles.mjs hashes of a feature. GDAL turns y up."""
    rings = list(rings_of(geometry.ExportToWkb(ogr.wkbNDR)))
    parts = [struct.pack("<dI", fid, len(rings))]
    for ring in rings:
        numbers = [int(v) for v in ring[:-2]]
        numbers[1::2] = [EXTENT - y for y in numbers[1::2]]
        parts.append(struct.pack(f"<I{len(numbers)}i", len(numbers) // 2, *numbers))
    return b"".join(parts)


class Reader:
    def __init__(self, layers):
        self.layers = layers
        self.counts = dict.fromkeys(
            ("tiles", "features", "faults", "differ", "invalid", "told", "shown_invalid"), 0
        )
        self.invalid_by_zoom = {}
        self.first = []

    def fault(self, where, words):
        self.counts["faults"] += 1
        if len(self.first) < FAULTS_SHOWN:
            self.first.append(f"{where}: {words}")

    def read(self, layer, z, x, y, data, expected):
        where = f"{self.layers[layer]}/{z}/{x}/{y}"
        self.counts["tiles"] += 1
        gdal.FileFromMemBuffer("/vsimem/tile.pbf", data)
        try:
            source = gdal.OpenEx(
                "/vsimem/tile.pbf",
                gdal.OF_VECTOR,
                allowed_drivers=["MVT"],
                open_options=["CLIP=NO"],
            )
            self.read_layers(where, z, layer, source, expected)
        except RuntimeError as error:
            self.fault(where, str(error))
        finally:
            source = None
            gdal.Unlink("/vsimem/tile.pbf")

    def read_layers(self, where, z, layer, source, expected):
        names = [source.GetLayer(i).GetName() for i in range(source.GetLayerCount())]
        if names != [self.layers[layer]]:
            return self.fault(where, f"layers {names}")
        digest = hashlib.md5()
        for feature in source.GetLayer(0):
            geometry = feature.GetGeometryRef()
            self.counts["features"] += 1
            if not feature.GetField("code"):
                self.fault(where, "a feature without a code")
            digest.update(digest_of(geometry, feature.GetField("mvt_id")))
            if not geometry.IsValid():
                self.counts["shown_invalid"] += z >= SHOWN_FROM[self.layers[layer]]
                self.counts["invalid"] += 1
                self.invalid_by_zoom[z] = self.invalid_by_zoom.get(z, 0) + 1
                if self.counts["told"] < FAULTS_SHOWN:
                    self.counts["told"] += 1
                    self.first.append(f"{where}: {feature.GetField('code')} is not valid")
        if digest.hexdigest() != expected:
            self.counts["differ"] += 1
            self.fault(where, "not what @mapbox/vector-tile read")


def main(tiles, layers, digests):
    reader = Reader(layers.split(","))
    gdal.PushErrorHandler("CPLQuietErrorHandler")  # GEOS says of each polygon where it is invalid
    with open(digests, encoding="ascii") as lines:
        for frame, line in zip(frames(tiles), lines):
            reader.read(*frame, line.strip())
    print(
        json.dumps(
            {**reader.counts, "invalid_by_zoom": reader.invalid_by_zoom, "first": reader.first}
        )
    )


main(*sys.argv[1:])
