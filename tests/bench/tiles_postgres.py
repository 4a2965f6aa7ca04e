"""A PostgreSQL server of the benchmark's own, with PostGIS, and a client that asks for binary
results: libpq itself, since it is there wherever the server is.
"""

import ctypes
import glob
import os
import pwd
import re
import shutil
import struct
import subprocess
import tempfile

PROGRAMS = "/usr/lib/postgresql/15/bin"
SERVER_USER = "postgres"  # Debian's package makes it; initdb refuses to run as root

# So that the peer is used as well as it can be: everything in memory, no second process, no JIT,
# which costs more than it gains on queries of a millisecond.
SETTINGS = {
    "listen_addresses": "''",
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "fsync": "off",  # nothing is written while it is timed
    "autovacuum": "off",
}

TABLE = """
CREATE EXTENSION postgis;
CREATE TABLE raw (id bigint, code text, name text, kind text, parent text,
                  geom geometry(MultiPolygon, 4326));
"""

PREPARED = """
CREATE TABLE grids AS
    SELECT id, code, name, kind, parent, ST_Transform(geom, 3857) AS geom FROM raw;
CREATE INDEX ON grids USING gist (geom);
VACUUM (ANALYZE, FREEZE) grids;
"""

TILE = """
SELECT ST_AsMVT(q, 'grids', 4096, 'geom', 'id') FROM (
    SELECT id, code, name, kind, parent,
           ST_AsMVTGeom(geom, ST_TileEnvelope({z}, {x}, {y}), 4096, 64, true) AS geom
    FROM grids WHERE geom && ST_TileEnvelope({z}, {x}, {y}, margin => 64.0 / 4096)
) AS q WHERE geom IS NOT NULL
"""

# The same question asked inside the server, so that no byte leaves it: the most favourable way.
INSIDE = f"""
CREATE FUNCTION time_tiles(zoom integer, list integer[], OUT bytes bigint)
LANGUAGE plpgsql AS $$
DECLARE
    tile bytea;
BEGIN
    bytes := 0;
    FOR i IN 1 .. array_length(list, 1) / 2 LOOP
        {TILE.strip().format(z="zoom", x="list[2 * i - 1]", y="list[2 * i]")
             .replace(" FROM (", " INTO tile FROM (", 1)};
        bytes := bytes + octet_length(tile);
    END LOOP;
END $$;
"""


class Missing(Exception):
    """What has to be installed."""


class Server:
    """Running from creation to close(), in a folder of its own, reached by a unix socket."""

    def __init__(self):
        if not os.path.exists(f"{PROGRAMS}/initdb"):
            raise Missing("postgresql-15 and postgresql-15-postgis-3")
        self.folder = tempfile.mkdtemp(prefix="gridwarden-tiles-")
        self.data = f"{self.folder}/data"
        self.running = False
        self.user = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(SERVER_USER)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def server(self, *command):
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **self.user)

    def start(self):
        self.server(
            f"{PROGRAMS}/initdb",
            "-D",
            self.data,
            "-U",
            SERVER_USER,
            "-A",
            "trust",
            "--no-sync",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
        )
        with open(f"{self.data}/postgresql.conf", "a", encoding="utf-8") as out:
            out.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
            out.write(f"unix_socket_directories = '{self.folder}'\n")
        self.running = True
        self.server(
            f"{PROGRAMS}/pg_ctl", "-D", self.data, "-l", f"{self.folder}/log", "-w", "start"
        )

    def psql(self, text, *files):
        """Runs statements; what they print."""
        return subprocess.run(
            [
                "psql",
                "-X",
                "-q",
                "-t",
                "-A",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                self.folder,
                "-U",
                SERVER_USER,
                *files,
            ],
            input=text,
            text=True,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout.strip()

    def load(self, rows):
        """Makes the table afresh of a file for COPY."""
        self.psql(
            "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        )
        self.psql(TABLE)
        self.psql(f"\\copy raw FROM '{rows}'")
        self.psql(PREPARED + INSIDE)

    def version(self):
        """Once something is loaded."""
        words = self.psql("SELECT version(), postgis_full_version()")
        found = re.search(r"PostgreSQL ([\d.]+).*?POSTGIS=\"([\d.]+).*?GEOS=\"([\d.]+)", words)
        return "PostgreSQL {}, PostGIS {}, GEOS {}".format(*found.groups())

    def close(self):
        if self.running:
            subprocess.run(
                [f"{PROGRAMS}/pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop"],
                cwd=self.folder,
                check=False,
                stdout=subprocess.DEVNULL,
                **self.user,
            )
        shutil.rmtree(self.folder, ignore_errors=True)


class Client:
    """One connection, one statement prepared, results in binary: no hexadecimal text to parse."""

    def __init__(self, server):
        found = glob.glob("/usr/lib/*/libpq.so.5")
        if not found:
            raise Missing("libpq5")
        self.pq = ctypes.CDLL(found[0])
        pointer = ctypes.c_void_p
        for name in ("PQconnectdb", "PQexec", "PQprepare", "PQexecPrepared", "PQgetvalue"):
            getattr(self.pq, name).restype = pointer
        self.pq.PQerrorMessage.restype = ctypes.c_char_p
        self.connection = pointer(
            self.pq.PQconnectdb(f"host={server.folder} user={SERVER_USER}".encode())
        )
        if self.pq.PQstatus(self.connection) != 0:
            raise RuntimeError(self.pq.PQerrorMessage(self.connection).decode())
        self.prepare()

    def prepare(self):
        text = TILE.format(z="$1::int4", x="$2::int4", y="$3::int4").encode()
        result = ctypes.c_void_p(self.pq.PQprepare(self.connection, b"tile", text, 0, None))
        self.check(result, 1)
        self.pq.PQclear(result)
        self.lengths = (ctypes.c_int * 3)(4, 4, 4)
        self.formats = (ctypes.c_int * 3)(1, 1, 1)
        self.values = (ctypes.c_char_p * 3)()

    def check(self, result, wanted):
        if self.pq.PQresultStatus(result) != wanted:
            raise RuntimeError(self.pq.PQerrorMessage(self.connection).decode())

    def size(self, z, x, y):
        """Asks for a tile and returns how many bytes came."""
        return self.ask(z, x, y, lambda result: self.pq.PQgetlength(result, 0, 0))

    def tile(self, z, x, y):
        def copy(result):
            value = ctypes.c_void_p(self.pq.PQgetvalue(result, 0, 0))
            return ctypes.string_at(value, self.pq.PQgetlength(result, 0, 0))

        return self.ask(z, x, y, copy)

    def ask(self, z, x, y, use):
        # Fixed four bytes each, whatever zeros are in them: the lengths say so.
        self.values[:] = [struct.pack("!i", number) for number in (z, x, y)]
        result = ctypes.c_void_p(
            self.pq.PQexecPrepared(
                self.connection, b"tile", 3, self.values, self.lengths, self.formats, 1
            )
        )
        self.check(result, 2)
        got = use(result)
        self.pq.PQclear(result)
        return got

    def inside(self, zoom, numbers):
        """Asks for tiles in a loop inside the server; bytes of all."""
        text = f"SELECT bytes FROM time_tiles({zoom}, ARRAY[{','.join(map(str, numbers))}])"
        result = ctypes.c_void_p(self.pq.PQexec(self.connection, text.encode()))
        self.check(result, 2)
        size = int(ctypes.string_at(self.pq.PQgetvalue(result, 0, 0)))
        self.pq.PQclear(result)
        return size

    def server_s(self):
        """Processor time that this connection's server process has had."""
        with open(f"/proc/{self.pq.PQbackendPID(self.connection)}/schedstat") as numbers:
            return int(numbers.read().split()[0]) * 1e-9

    def close(self):
        self.pq.PQfinish(self.connection)
