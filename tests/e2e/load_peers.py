"""What gridwarden-load is compared with: h2load, a grpcio client, slow and pausing servers."""

import asyncio
import concurrent.futures
import json
import math
import os
import subprocess
import threading
import time

import grpc
import harness as h

LOAD = os.environ.get("GW_LOAD") or str(h.ROOT / "loadtest/gridwarden-load")
NIGHTLY = bool(os.environ.get("GW_NIGHTLY"))


def percentile(sorted_values, share):
    """The smallest value that a share of all values doesn't exceed, as gridwarden-load counts."""
    return sorted_values[max(0, math.ceil(share * len(sorted_values)) - 1)]


class Measured:
    """Answers a second and latencies in milliseconds."""

    def __init__(self, achieved, p50, p90, p99, failed, done):
        self.achieved, self.p50, self.p90, self.p99 = achieved, p50, p90, p99
        self.failed, self.done = failed, done

    def __repr__(self):
        return (
            f"{self.achieved:.0f}/s p50={self.p50:.3f} p90={self.p90:.3f} p99={self.p99:.3f} ms"
            f" done={self.done} failed={self.failed}"
        )


def measured(latencies_ms, seconds, failed=0):
    latencies = sorted(latencies_ms)
    shares = [percentile(latencies, share) for share in (0.5, 0.9, 0.99)]
    return Measured(len(latencies) / seconds, *shares, failed, len(latencies))


def ratios(ours, theirs):
    """Our best run to their best one: what else runs on the machine only makes runs worse."""
    best = {"achieved": max, "p50": min, "p90": min}
    return {
        field: pick(getattr(run, field) for run in ours)
        / pick(getattr(run, field) for run in theirs)
        for field, pick in best.items()
    }


# --- ours ---


def gridwarden_load(works, *options, server=None, http=None, seconds=2, warmup=0.3):
    """Runs a scenario of these works; returns its JSON."""
    name = f"scenario-{time.monotonic_ns()}"
    scenario, out = h.TMP / f"{name}.json", h.TMP / f"{name}.out.json"
    scenario.write_text(
        json.dumps(
            {
                "name": "agree",
                "description": "what another client does at the same time",
                "seed": 7,
                "seconds": seconds,
                "warmup_seconds": warmup,
                "lateness_ms_max": 500,  # a busy machine: what is compared below is the judge
                "works": works,
            }
        )
    )
    command = [LOAD, "run", str(scenario), "--quiet", "--json", str(out), *options]
    command += ["--server", server] if server else []
    command += ["--http", http] if http else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(out.read_text())


def work_of(result, index=0):
    return result["steps"][0]["works"][index]


def measured_work(result, index=0):
    work = work_of(result, index)
    if not work["offered"]:
        raise AssertionError(f"not offered: {work['refusal']}")
    numbers = work["summary"]
    shares = [numbers[key] for key in ("p50_ms", "p90_ms", "p99_ms")]
    return Measured(numbers["achieved"], *shares, work["failed"], work["done"])


# --- h2load ---


def h2load(urls, connections, seconds, warmup_ms=300):
    """A closed loop over the URLs in HTTP/1.1, a request at a time on each connection."""
    name = h.TMP / f"h2load-{time.monotonic_ns()}"
    name.with_suffix(".urls").write_text("\n".join(urls) + "\n")
    log = name.with_suffix(".log")
    command = ["h2load", "--h1", "--threads=1", f"--clients={connections}"]
    command += [f"--duration={seconds}", f"--warm-up-time={warmup_ms}ms", f"--log-file={log}"]
    command += ["--header=Accept-Encoding: gzip", f"--input-file={name.with_suffix('.urls')}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    # Start in microseconds since 1970, HTTP status, duration in microseconds.
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    latencies = [int(row[2]) / 1000 for row in rows if row[1] in ("200", "204", "304")]
    return measured(latencies, seconds, failed=len(rows) - len(latencies))


# --- a client of Debian's grpcio ---


class OpenLoop:
    """Sends `request` at a fixed rate, whatever comes back; latency counts from when it was due."""

    def __init__(self, target, method, request):
        self.channel = grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        raw = {"request_serializer": None, "response_deserializer": None}
        self.call = self.channel.unary_unary(f"/gridwarden.v1.{method}", **raw)
        self.request = request.SerializeToString()
        self.call(self.request, timeout=10)  # connects

    def run(self, rate, seconds, warmup=0.3):
        count, first = int(rate * (warmup + seconds)), int(rate * warmup)
        latencies, failures, lock = [], [], threading.Lock()
        done, never = threading.Semaphore(0), threading.Event()

        def ended(call, index, due):
            latency = (time.monotonic() - due) * 1000
            with lock:
                if index >= first:
                    (latencies if call.code() == grpc.StatusCode.OK else failures).append(latency)
            done.release()

        begin = time.monotonic() + 0.05
        for index in range(count):
            due = begin + index / rate
            left = due - time.monotonic()
            if left > 0:
                never.wait(left)
            call = self.call.future(self.request, timeout=10)
            call.add_done_callback(lambda c, i=index, d=due: ended(c, i, d))
        for _ in range(count):
            assert done.acquire(timeout=20), "calls without an end"
        return measured(latencies, seconds, failed=len(failures))

    def close(self):
        self.channel.close()


# --- tiles that take their time ---


def tiles_seen(tilejson, zoom):
    """URLs of the 2 x 2 tiles on a screen of one tile's size anywhere in the bounds: one set."""
    west, south, east, north = tilejson["bounds"]

    def corner(lon, lat):
        x = (lon + 180) / 360 * 2**zoom - 0.5
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom - 0.5
        return math.floor(x), math.floor(y)

    (x, y), other = corner(west, north), corner(east, south)
    assert (x, y) == other, f"zoom {zoom}: {(x, y)} and {other} are not the same tiles"
    return [
        tilejson["tiles"][0].format(z=zoom, x=x + dx, y=y + dy) for dy in (0, 1) for dx in (0, 1)
    ]


class SlowTiles:
    """Tiles over HTTP/1.1 whose answers take 2 to 20 ms, so that clients cost little beside it."""

    DELAYS_MS = (2, 3, 4, 5, 6, 7, 8, 9, 15, 20)
    BOUNDS = [123.80, 42.28, 123.84, 42.32]

    def __init__(self):
        self.body, self.count = bytes(range(256)) * 40, 0
        self.loop, ready = asyncio.new_event_loop(), threading.Event()

        def serve():
            asyncio.set_event_loop(self.loop)
            self.server = self.loop.run_until_complete(
                asyncio.start_server(self._connection, "127.0.0.1", 0)
            )
            ready.set()
            self.loop.run_forever()

        self.thread = threading.Thread(target=serve)
        self.thread.start()
        assert ready.wait(10)
        self.address = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
        self.tilejson = {
            "tilejson": "3.0.0",
            "tiles": [f"http://{self.address}/tiles/grids/{{z}}/{{x}}/{{y}}.mvt"],
            "bounds": self.BOUNDS,
            "minzoom": 0,
            "maxzoom": 14,
        }

    async def _connection(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = self.body
                if b".json" in head.split(b"\r\n")[0]:
                    body = json.dumps(self.tilejson).encode()
                else:
                    self.count += 1
                    await asyncio.sleep(self.DELAYS_MS[self.count % len(self.DELAYS_MS)] / 1000)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _end(self):
        self.server.close()
        open_ones = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


# --- a server that stops answering for `pause` seconds of every `period` ---


class PausingServer:
    """As much of GridService as gridwarden-load asks for, around one square grid."""

    CODE = "211282101200001"

    def __init__(self, period, pause):
        self.period, self.pause = period, pause
        self.began = time.monotonic()
        self.never = threading.Event()
        ring = h.types.PackedPoints if hasattr(h.types, "PackedPoints") else h.grid.PackedPoints
        west, south, side = 1238000000, 422800000, 100000
        shell = ring(
            longitudes_e7=[west, west + side, west + side, west, west],
            latitudes_e7=[south, south, south + side, south + side, south],
        )
        shape = h.grid.MultiPolygon(polygons=[h.grid.Polygon(rings=[shell])])
        self.grid = h.grid.Grid(code=self.CODE, name="grid", boundary=shape)
        # As many threads as calls can come due in a pause: all of them wait for its end.
        workers = concurrent.futures.ThreadPoolExecutor(max_workers=256)
        self.server = grpc.server(workers)
        self.server.add_generic_rpc_handlers((self._handlers(),))
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def _handlers(self):
        answers = {
            "ListGrids": h.grid.ListGridsResponse(grids=[self.grid]),
            "GetGrid": h.grid.GetGridResponse(grid=self.grid),
        }
        methods = {
            name: grpc.unary_unary_rpc_method_handler(lambda _, __, b=b: b.SerializeToString())
            for name, b in answers.items()
        }
        found = h.grid.LocateResponse(grid=h.grid.Grid(code=self.CODE)).SerializeToString()

        def locate(_request, _context):
            phase = (time.monotonic() - self.began) % self.period
            if phase < self.pause:
                self.never.wait(self.pause - phase)
            return found

        methods["Locate"] = grpc.unary_unary_rpc_method_handler(locate)
        return grpc.method_handlers_generic_handler("gridwarden.v1.GridService", methods)

    def stop(self):
        self.server.stop(None).wait()
