"""Which room may include what: the one table of the arrows, checked here and printed into
ARCHITECTURE.md. Bazel does not hold it: a target without deps can include any header under /usr.
"""

import fnmatch
import re
from dataclasses import dataclass

# The libraries by the headers that belong to them. A header of none of these is refused.
LIBRARIES = {
    "pure C": """assert.h float.h inttypes.h limits.h math.h stdalign.h stdarg.h stdatomic.h
        stdbool.h stddef.h stdint.h stdlib.h string.h""",
    "libc": """arpa/inet.h ctype.h dirent.h endian.h errno.h fcntl.h fnmatch.h ftw.h getopt.h glob.h
        libgen.h linux/* locale.h netdb.h netinet/* poll.h pthread.h sched.h semaphore.h setjmp.h
        signal.h spawn.h stdnoreturn.h strings.h sys/* termios.h time.h uchar.h unistd.h
        wchar.h""",
    "stdio.h": "stdio.h",
    "geodesic.h": "geodesic.h",
    "GDAL": "cpl_*.h gdal.h gdal_*.h ogr_*.h",
    "GEOS": "geos_c.h",
    "PROJ": "proj.h",
    "gRPC": "grpc/* grpc/*/* grpc/*/*/*",
    "RocksDB": "rocksdb/*",
    "protobuf-c": "protobuf-c/*",
    "libmicrohttpd": "microhttpd.h",
    "jansson": "jansson.h",
    "xxHash": "xxhash.h",
    "libsodium": "sodium.h sodium/*",
    "libcurl": "curl/*",
    "libdeflate": "libdeflate.h",
    "freetype": "ft2build.h freetype/* FT_*",
    "liburcu": "urcu.h urcu/* urcu-*.h",
    "cmocka": "cmocka.h",
}


@dataclass(frozen=True)
class Room:
    """Some files of the repository and what they may include.

    `files`: folder, or patterns inside one whose files are ruled apart from the rest of it.
    `ours`: rooms, or single headers of them. `libraries`: keys of LIBRARIES; "libc" has "pure C"
    and "stdio.h" in it.
    """

    files: str
    ours: tuple
    libraries: tuple
    why: str


BELOW_SHARD = (
    "services/incidents",
    "services/workers",
    "services/grids",
    "services/log",
    "services/store",
    "services/base",
    "geo",
    "proto",
)
SERVING = ("services/shard", "services/rpc", *BELOW_SHARD)

# Top down; the first pattern that a file matches is its room.
ROOMS = (
    Room("loadtest", ("services/rpc", "services/base", "geo", "proto"),
         ("libc", "protobuf-c", "jansson", "libcurl"),
         "load generator: talks to a node as any client does"),
    Room("services/cli", ("services/node", "services/demo", "services/grids/importer.h", *SERVING),
         ("libc", "protobuf-c", "jansson"), "the user's command line; starts the node for `serve`"),
    Room("services/node",
         ("services/api", "services/http", "services/live", "services/tiles", *SERVING),
         ("libc", "protobuf-c", "jansson"),
         "configuration, wiring, start, drain"),
    Room("services/demo", ("services/rpc", "services/base", "geo", "proto"),
         ("libc", "protobuf-c"), "the synthetic city and its day, played as a client"),
    Room("services/api", SERVING, ("libc", "protobuf-c"),
         "gRPC handlers: decode, call the domain, encode"),
    Room("services/http",
         ("services/live", "services/tiles", "services/shard", "geo/tiles", *BELOW_SHARD),
         ("libc", "libmicrohttpd", "jansson", "libdeflate", "protobuf-c"),
         "tiles, the page, the live feed, JSON for browsers, metrics and health"),
    Room("services/live", ("services/tiles", "services/shard", "geo/tiles", *BELOW_SHARD),
         ("libc", "protobuf-c"),
         "what the map shows of this moment, and the stream of its changes"),
    Room("services/tiles", ("services/grids", "services/base", "geo/tiles", "geo"),
         ("libc", "libdeflate", "xxHash"),
         "tiles of a node: layers, cache, who computes"),
    Room("services/shard", BELOW_SHARD, ("libc", "protobuf-c", "xxHash", "libsodium"),
         "one writer over log, incidents, workers and editions: the write path"),
    Room("services/grids/import* services/grids/geojson* services/grids/areas_csv*",
         ("geo/carto", "services/store", "services/base", "geo", "proto"),
         ("libc", "protobuf-c", "xxHash", "GDAL"),
         "boundary files to a checked edition; the only user of GDAL"),
    Room("services/workers",
         ("services/grids/edition.h", "services/incidents/policy.h", "services/base", "geo",
          "proto"),
         ("libc", "protobuf-c"), "roster, duty, reservations, live positions, candidates"),
    Room("services/grids", ("services/log", "services/store", "services/base", "geo", "proto"),
         ("libc", "protobuf-c", "xxHash"), "editions as mapped files; locate"),
    Room("services/incidents", ("services/base/error.h", "geo", "proto"),
         ("pure C", "stdio.h", "protobuf-c"),
         "decide and evolve, pure: no clock, input or output, threads, randomness"),
    Room("services/log", ("services/store", "services/base", "geo/err.h", "proto"),
         ("libc", "protobuf-c"), "the log: append, replay"),
    Room("services/store", ("services/base", "geo/err.h"), ("libc", "RocksDB"),
         "keyspaces, batches, checkpoints; the only user of RocksDB"),
    Room("services/rpc", ("services/base", "geo/err.h", "proto"), ("libc", "gRPC", "protobuf-c"),
         "gRPC C core made small; the only user of grpc/"),
    Room("services/base", ("geo/err.h",), ("libc",),
         "error words, buffers, clocks, diagnostic lines, metrics, the data folder"),
    Room("tools/glyphs", ("services/base",), ("libc", "freetype"),
         "draws the letters of the map's style when the program is built"),
    Room("geo/tiles", ("geo",), ("pure C",),
         "pure: Web Mercator, shared borders, vector tiles"),
    Room("geo/carto", ("geo",), ("libc", "GEOS"),
         "whether boundaries are valid, and where they overlap"),
    Room("geo", (), ("pure C", "geodesic.h"),
         "pure: lattice, exact predicates, grid index, worker index, distances"),
)

ROOM_OF_GENERATED = "proto"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Tests, fuzz targets and benchmarks may use everything, wherever they lie.
TEST_FILE = re.compile(
    r"^tests/|(_test|_fuzz|_bench|_conformance)\.[ch]$|/testing\w*\.[ch]$|/testdata/"
)


def room_of(path):
    for room in ROOMS:
        for pattern in room.files.split():
            if path.startswith(pattern + "/") or fnmatch.fnmatch(path, pattern):
                return room
    return None


def home_of(room):
    """The folder that a room's files lie in."""
    return room.files.split()[0].rsplit("/", 1)[0] if "*" in room.files else room.files


def library_of(header):
    for library, headers in LIBRARIES.items():
        if any(fnmatch.fnmatch(header, pattern) for pattern in headers.split()):
            return library
    return None


def own_header_allowed(room, header):
    if header.endswith(".pb-c.h"):
        return ROOM_OF_GENERATED in room.ours
    target = room_of(header)
    # Files that are ruled apart may use the rest of their folder, not the other way round.
    allowed = (room.files, home_of(room), *room.ours)
    return header in allowed or (target is not None and target.files in allowed)


def library_allowed(room, library):
    wider = "libc" if library in ("pure C", "stdio.h") else library
    return library in room.libraries or wider in room.libraries


def check_file(path, text):
    """What the file includes and must not, one line each."""
    room = room_of(path)
    if TEST_FILE.search(path):
        return []
    if room is None:
        return [f"{path}: lies in no room of tests/tidy/arrows.py"]
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        kind, header = include.groups()
        where = f"{path}:{number}: `{room.files}` may not include {header}"
        if kind == '"' and not own_header_allowed(room, header):
            found.append(where)
        elif kind == "<":
            library = library_of(header)
            if library is None:
                found.append(f"{where}: no library of tests/tidy/arrows.py has it")
            elif not library_allowed(room, library):
                found.append(f"{where} ({library})")
    return found


def table():
    """The rooms and their arrows as Markdown."""
    lines = ["| room | what it is | may include of ours | libraries |", "| --- | --- | --- | --- |"]
    for room in ROOMS:
        ours = ", ".join(f"`{name.removeprefix('services/')}`" for name in room.ours) or "nothing"
        libraries = ", ".join(room.libraries)
        files = ", ".join(f"`{pattern}`" for pattern in room.files.split())
        lines.append(f"| {files} | {room.why} | {ours} | {libraries} |")
    return "\n".join(lines) + "\n"
