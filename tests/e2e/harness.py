"""What the end-to-end tests share: the real program, a small city, and a client that is not ours.

The client is Debian's grpcio with messages that protoc makes from our own proto files; stubs
are plain channel methods, so that nothing of Gridwarden's own client is trusted here.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import grpc

TMP = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp(prefix="gridwarden-e2e-"))
ROOT = pathlib.Path.cwd()  # Bazel's runfiles, or the checkout
PROGRAM = os.environ.get("GW_PROGRAM") or str(ROOT / "services/cli/gridwarden")
PROTOS = ("types", "grid", "edition", "worker", "incident")


def _messages():
    out = TMP / "py"
    if not out.exists():
        out.mkdir(parents=True)
        protos = [f"gridwarden/v1/{name}.proto" for name in PROTOS]
        subprocess.run(
            ["protoc", "-Iproto", f"--python_out={out}", *protos, "grpc/health/v1/health.proto"],
            cwd=ROOT,
            check=True,
        )
    sys.path.insert(0, str(out))
    # grpcio has a package named `grpc` of its own: health.proto is loaded by path, under another
    # name.
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "health_pb2", out / "grpc/health/v1/health_pb2.py"
    )
    health = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(health)
    from gridwarden.v1 import edition_pb2, grid_pb2, incident_pb2, types_pb2, worker_pb2

    return types_pb2, grid_pb2, edition_pb2, worker_pb2, incident_pb2, health


types, grid, edition, worker, incident, health = _messages()


class Client:
    """One channel, with a callable for every method: client.Locate(request, timeout=5)."""

    def __init__(self, target):
        self.channel = grpc.insecure_channel(
            target,
            [
                ("grpc.max_receive_message_length", 64 << 20),
                ("grpc.max_send_message_length", 64 << 20),
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        for module in (grid, edition, worker, incident):
            for name, service in module.DESCRIPTOR.services_by_name.items():
                for method in service.methods:
                    setattr(self, f"{name}_{method.name}", self._method(module, name, method))
                    setattr(self, method.name, getattr(self, f"{name}_{method.name}"))
        self.Check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health.HealthCheckRequest.SerializeToString,
            response_deserializer=health.HealthCheckResponse.FromString,
        )

    def _method(self, module, service, method):
        client_stream = method.name in ("ReportPositions", "Upload")
        server_stream = method.name in ("Watch", "WatchAssignments")
        make = (
            self.channel.stream_unary
            if client_stream
            else self.channel.unary_stream
            if server_stream
            else self.channel.unary_unary
        )
        return make(
            f"/gridwarden.v1.{service}/{method.name}",
            request_serializer=getattr(module, method.input_type.name).SerializeToString,
            response_deserializer=getattr(module, method.output_type.name).FromString,
        )

    def close(self):
        self.channel.close()


class Node:
    """The program, serving a data folder on free ports."""

    def __init__(self, data, env=None, config=None, options=()):
        self.data = data
        self.log_path = TMP / f"node-{time.monotonic_ns()}.log"
        command = [
            PROGRAM,
            "serve",
            "--data",
            str(data),
            "--grpc-listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
        ]
        if config is not None:
            path = TMP / f"config-{time.monotonic_ns()}.json"
            path.write_text(json.dumps(config))
            command += ["--config", str(path)]
        command += options
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            command, stderr=self.log, stdout=self.log, env={**os.environ, **(env or {})}
        )
        self.client = None
        self.grpc_port, self.http_port = self._ports()
        self.target = f"127.0.0.1:{self.grpc_port}"
        self.client = Client(self.target)

    def _ports(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            line = re.search(r"serving .*grpc_port=(\d+).*http_port=(\d+)", self.text())
            if line:
                return int(line.group(1)), int(line.group(2))
            if self.process.poll() is not None:
                break
            time.sleep(0.01)  # there is nothing to wait on but the line itself
        raise AssertionError(f"the node did not start: {self.text()}")

    def text(self):
        return self.log_path.read_text(errors="replace")

    def http(self, path, method="GET"):
        """(status, text) of a request to the node's HTTP side."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def kill(self):
        self.client.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        """Ends it gracefully; returns the exit code."""
        if self.client is not None:
            self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        return code


def run(*words, code=0, stdin=None):
    """Runs the program; the exit code must be `code`. Returns its standard output and error."""
    done = subprocess.run(
        [PROGRAM, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=120
    )
    if done.returncode != code:
        raise AssertionError(
            f"{words}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
        )
    return done.stdout, done.stderr


def feature(code, west, south, east, north, **properties):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": f"网格 {code}", **properties},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


# A city of 4 x 4 grids, 0.01 degree each, in two villages (west and east half) of one town.
WEST, SOUTH, STEP, SIDE = 123.80, 42.28, 0.01, 4
TOWN = "211282101"
VILLAGES = [TOWN + "200", TOWN + "201"]


def grid_code(column, row):
    return f"{VILLAGES[column * 2 // SIDE]}{row * SIDE + column + 1:03d}"


def centre(column, row):
    return (round(WEST + (column + 0.5) * STEP, 7), round(SOUTH + (row + 0.5) * STEP, 7))


def city_file(moved=0, without=()):
    """The small city as GeoJSON, without some grids and with the border of the first two columns
    `moved` degrees to the east; returns the path."""
    edges = [WEST + c * STEP + (moved if c == 1 else 0) for c in range(SIDE + 1)]
    features = [
        feature(
            grid_code(c, r),
            round(edges[c], 7),
            round(SOUTH + r * STEP, 7),
            round(edges[c + 1], 7),
            round(SOUTH + (r + 1) * STEP, 7),
            kind="URBAN",
        )
        for r in range(SIDE)
        for c in range(SIDE)
        if grid_code(c, r) not in without
    ]
    path = TMP / f"city-{time.monotonic_ns()}.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    )
    return path


IMPORT = ("--crs", "EPSG:4326", "--kind-field", "kind")


def small_city(data, extra=()):
    """Imports and publishes the small city into the folder `data`."""
    return run("import", city_file(), "--data", data, *IMPORT, "--publish", *extra)


def new_folder(name):
    return TMP / f"{name}-{time.monotonic_ns()}"


def point(place):
    return types.Point(longitude=place[0], latitude=place[1])


def status_of(call):
    """The gRPC status code and message of a call that must fail."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError("the call did not fail")


_count = 0


def request_id():
    global _count
    _count += 1
    return f"e2e-{os.getpid()}-{time.monotonic_ns()}-{_count}"
