"""Editions change on a node that goes on serving: brought by the command line and by a client that
is not ours, published under load, gone back to; broken uploads; kill -9 on the way; restarts.

GW_SEED=N repeats the random moments of the kills.
"""

import concurrent.futures
import functools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import grpc  # noqa: E402
import harness as h  # noqa: E402
from grpc import RpcError, StatusCode  # noqa: E402

SEED = int(os.environ.get("GW_SEED") or 4711)
MOVED = 0.004  # degrees, of the border in edition 2
PIECE = 1 << 20
BORDER = h.WEST + h.STEP
LIST = h.grid.ListEditionsRequest()
KILLS = 3


class Workshop:
    """Makes edition files of any number, in a folder that no node serves."""

    def __init__(self):
        self.data, self.count = h.new_folder("workshop"), 0

    def file(self, number, **city):
        """The bytes of an edition file with this number, which is larger than that before."""
        while self.count < number:
            self.count += 1
            kind = city if self.count == number else {}
            h.run("import", h.city_file(**kind), "--data", self.data, *h.IMPORT)
        return (self.data / "editions" / f"grid-{number}.gwe").read_bytes()


@functools.cache
def second():
    """The bytes of an edition 2 whose border has moved."""
    return Workshop().file(2, moved=MOVED)


class Forgetful(grpc.GenericRpcHandler):
    """A node without editions, whose call of one method comes to nothing clear."""

    def __init__(self, method, code):
        self.method, self.code = method, code
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(2), [self], options=[("grpc.so_reuseport", 0)]
        )
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, details):
        method = details.method.rsplit("/", 1)[1]

        def answer(request, context):
            if method == "Upload":
                list(request)
            if method == self.method:
                context.abort(self.code, "so it is")
            return b""

        if method == "Upload":
            return grpc.stream_unary_rpc_method_handler(answer)
        return grpc.unary_unary_rpc_method_handler(answer)


def header(number, content, **fields):
    values = {
        "request_id": h.request_id(),
        "layer": "grid",
        "number": number,
        "size": len(content),
        "content_hash": content[16:32].hex(),
    }
    return h.edition.UploadRequest(header=h.edition.UploadHeader(**{**values, **fields}))


def pieces(content, size=PIECE):
    for at in range(0, len(content), size):
        yield h.edition.UploadRequest(data=content[at : at + size])


def upload(node, number, content, size=PIECE, **fields):
    return node.client.Upload(
        iter([header(number, content, **fields), *pieces(content, size)]), timeout=30
    )


def publish(node, number, **fields):
    request = h.edition.PublishRequest(
        **{"request_id": h.request_id(), "layer": "grid", "number": number, **fields}
    )
    return node.client.Publish(request, timeout=30)


def locate(node, place):
    return node.client.Locate(h.grid.LocateRequest(point=h.point(place)), timeout=30)


def published(node):
    """The published edition by the list, and what answers; both must agree."""
    editions = node.client.ListEditions(LIST).editions
    listed = [e.ref.number for e in editions if e.state == h.grid.EDITION_STATE_PUBLISHED]
    assert len(listed) == 1, listed
    answering = locate(node, h.centre(0, 0)).edition.number
    assert listed == [answering], (listed, answering)
    return answering


def files(data):
    return sorted(p.name for p in (data / "editions").iterdir())


class Readers:
    """Calls of every kind that reads an edition; each answer must be of the edition it names."""

    def __init__(self, node, moved, count=3):
        self.node, self.moved, self.over = node, moved, threading.Event()
        self.faults, self.seen, self.answers = [], [], 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def go_on(self):
        """Returns when there are some more answers."""
        until = self.answers + 10
        while self.answers < until and not self.faults:
            time.sleep(0.001)  # nothing tells of an answer but the number

    def border(self, number):
        return round((BORDER + self.moved[number]) * 1e7)

    def owner(self, lon_e7, number):
        return h.grid_code(0 if lon_e7 < self.border(number) else 1, 0)

    def run(self, seed):
        rng = random.Random(f"{SEED}/{seed}")
        client = h.Client(self.node.target)
        asks = [self.one, self.batch, self.boundary, self.list]
        try:
            while not self.over.is_set():
                number, fits = rng.choice(asks)(client, rng)
                self.answers += 1
                if not self.seen or self.seen[-1] != number:
                    self.seen.append(number)
                if not fits:
                    self.faults.append(number)
        except Exception as error:  # told by the test's own thread
            self.faults.append(error)
        finally:
            client.close()

    def places(self, rng, count):
        return [round(BORDER * 1e7) + rng.randint(-90000, 90000) for _ in range(count)]

    def one(self, client, rng):
        (lon,) = self.places(rng, 1)
        place = (lon / 1e7, h.SOUTH + h.STEP / 2)
        answer = client.Locate(h.grid.LocateRequest(point=h.point(place)), timeout=30)
        number = answer.edition.number
        return number, answer.grid.code == self.owner(lon, number)

    def batch(self, client, rng):
        lons = self.places(rng, 500)
        points = h.types.PackedPoints(
            longitudes_e7=lons, latitudes_e7=[round((h.SOUTH + h.STEP / 2) * 1e7)] * len(lons)
        )
        answer = client.LocateBatch(h.grid.LocateBatchRequest(points=points), timeout=30)
        number = answer.edition.number
        codes = [answer.codes[owner - 1] for owner in answer.owners]
        return number, codes == [self.owner(lon, number) for lon in lons]

    def boundary(self, client, rng):
        request = h.grid.GetGridRequest(code=h.grid_code(0, 0), with_boundary=True)
        answer = client.GetGrid(request, timeout=30)
        number = answer.edition.number
        east = max(answer.grid.boundary.polygons[0].rings[0].longitudes_e7)
        return number, east == self.border(number)

    def list(self, client, rng):
        request = h.grid.ListGridsRequest(page=h.types.PageRequest(size=100))
        answer = client.ListGrids(request, timeout=30)
        return answer.edition.number, len(answer.grids) == h.SIDE * h.SIDE


class Editions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"# edition_test: seed {SEED} (repeat with GW_SEED={SEED})")
        cls.city = h.new_folder("city")
        h.small_city(cls.city)

    def setUp(self):
        self.data = h.new_folder("editions")
        shutil.copytree(self.city, self.data)
        self.node = h.Node(self.data)
        self.addCleanup(self.end)

    def end(self):
        self.assertEqual(self.node.stop(), 0, self.node.text())
        h.run("verify", "--data", self.data)

    def restart(self, kill=False):
        self.node.kill() if kill else self.node.stop()
        self.node = h.Node(self.data)

    def command(self, *words, code=0):
        return h.run(*words, "--server", self.node.target, code=code)

    def test_command_line_publishes_under_load(self):
        with Readers(self.node, {1: 0, 2: MOVED}) as readers:
            out, _ = self.command("import", h.city_file(MOVED), *h.IMPORT, "--json")
            report = json.loads(out)
            self.assertEqual((report["edition"], report["state"]), (2, "staged"))
            self.assertEqual(published(self.node), 1)
            for i in range(12):
                number = 2 - i % 2
                if i < 3:
                    self.command("edition", "publish", number)
                else:
                    publish(self.node, number)
                self.assertEqual(published(self.node), number)
                readers.go_on()
        self.assertEqual(readers.faults, [])
        self.assertGreater(readers.answers, 100)
        self.assertLessEqual({1, 2}, set(readers.seen))
        self.assertGreater(len(readers.seen), 6)
        rows = json.loads(self.command("edition", "list", "--json")[0])
        self.assertEqual([r["number"] for r in rows], [2, 1])
        metrics = self.node.http("/metrics")[1]
        self.assertIn('gridwarden_edition_number{layer="grid"} 1\n', metrics)
        self.restart()
        self.assertEqual(published(self.node), 1)

    def test_import_publishes_and_refuses(self):
        out, _ = self.command("import", h.city_file(MOVED), *h.IMPORT, "--publish", "--label", "二")
        self.assertRegex(out, r"edition 2 published: 16 grids")
        self.assertEqual(published(self.node), 2)
        broken = h.TMP / "broken.geojson"
        broken.write_text(h.city_file().read_text().replace("Polygon", "Point", 1))
        _, words = self.command("import", broken, *h.IMPORT, code=1)
        self.assertIn("nothing was stored", words)
        _, words = h.run("import", h.city_file(), *h.IMPORT, "--data", self.data, code=1)
        self.assertIn("in use by", words)
        h.run("import", h.city_file(), *h.IMPORT, code=2)
        h.run("import", h.city_file(), "--server", "x", "--data", "y", *h.IMPORT, code=2)
        self.command("edition", "publish", "two", code=2)
        _, words = self.command("edition", "publish", 9, code=1)
        self.assertIn("no edition 9", words)
        _, words = self.command("edition", "publish", 2, code=1)
        self.assertIn("published already", words)
        _, words = h.run(
            "import", h.city_file(), *h.IMPORT, "--server", "127.0.0.1:1", "--timeout", 1, code=1
        )
        self.assertEqual(files(self.data), ["grid-1.gwe", "grid-2.gwe"])

    def test_import_says_what_is_not_known(self):
        publish, upload = "is staged, and may be published or not", "may be staged or not"
        rows = [
            ("Publish", StatusCode.UNAVAILABLE, f"edition 1 {publish}; see `gridwarden edition"),
            ("Publish", StatusCode.FAILED_PRECONDITION, "is staged, but not published: "),
            ("Upload", StatusCode.UNAVAILABLE, f"edition 1 {upload}; see `gridwarden edition"),
            ("Upload", StatusCode.FAILED_PRECONDITION, "gridwarden: "),
        ]
        for method, code, words in rows:
            with self.subTest(method=method, code=code):
                node = Forgetful(method, code)
                city = ("import", h.city_file(), *h.IMPORT, "--publish", "--server", node.target)
                _, told = h.run(*city, code=1)
                node.server.stop(None)
                self.assertIn(words, told)
                self.assertIn("so it is", told)
                if method == "Upload":
                    self.assertEqual(code == StatusCode.UNAVAILABLE, "may be" in told)

    def test_broken_uploads(self):
        good, later = second(), Workshop().file(3)
        middle = len(good) // 2
        flipped = good[:middle] + bytes([good[middle] ^ 4]) + good[middle + 1 :]
        garbage = random.Random(SEED).randbytes(50000)
        invalid, state = StatusCode.INVALID_ARGUMENT, StatusCode.FAILED_PRECONDITION
        rows = [
            ("truncated", invalid, lambda: upload(self.node, 2, good[:-1], size=999)),
            ("flipped", invalid, lambda: upload(self.node, 2, flipped)),
            ("garbage", invalid, lambda: upload(self.node, 2, garbage)),
            ("too long", invalid, lambda: upload(self.node, 2, good + b"x", size=len(good))),
            ("longer than told", invalid, lambda: self.short_claim(good)),
            ("number of the file", invalid, lambda: upload(self.node, 2, later)),
            ("number", state, lambda: upload(self.node, 3, later)),
            ("number taken", state, lambda: upload(self.node, 1, good)),
            ("layer", state, lambda: upload(self.node, 2, good, layer="police")),
            ("layer of the file", invalid, lambda: upload(self.node, 1, good, layer="fire")),
            ("hash", invalid, lambda: upload(self.node, 2, good, content_hash="0" * 32)),
            ("no header", invalid, lambda: self.node.client.Upload(pieces(good))),
            ("nothing", invalid, lambda: self.node.client.Upload(iter([]))),
        ]
        for name, code, call in rows:
            with self.subTest(name):
                got, words = h.status_of(call)
                self.assertEqual(got, code, words)
                self.assertNotIn(str(self.data), words)
        self.assertEqual(published(self.node), 1)
        staged = upload(self.node, 2, good, size=4096).edition
        self.assertEqual(staged.state, h.grid.EDITION_STATE_STAGED)
        self.assertEqual(files(self.data), ["grid-1.gwe", "grid-2.gwe"])
        self.assertEqual((self.data / "editions" / "grid-2.gwe").read_bytes(), good)

    def short_claim(self, content):
        first = header(2, content)
        first.header.size = 5
        return self.node.client.Upload(iter([first, *pieces(content)]), timeout=30)

    def test_retries_have_one_effect(self):
        content = second()
        first = upload(self.node, 2, content, request_id="u")
        self.assertEqual(upload(self.node, 2, content, request_id="u"), first)
        one = publish(self.node, 2, request_id="p")
        publish(self.node, 1)
        self.assertEqual(publish(self.node, 2, request_id="p"), one)
        self.assertEqual(published(self.node), 1)
        self.restart(kill=True)
        self.assertEqual(publish(self.node, 2, request_id="p"), one)
        self.assertEqual(upload(self.node, 2, content, request_id="u"), first)
        self.assertEqual(published(self.node), 1)

    def test_killed_during_an_upload(self):
        content = second()
        begun = threading.Event()

        def half():
            yield header(2, content)
            yield h.edition.UploadRequest(data=content[: len(content) // 2])
            begun.wait()

        call = self.node.client.Upload.future(half(), timeout=30)
        deadline = time.monotonic() + 30
        while not any(name.endswith(".part") for name in files(self.data)):
            self.assertLess(time.monotonic(), deadline)
        self.restart(kill=True)
        begun.set()
        self.assertIsNotNone(call.exception())
        self.assertEqual(files(self.data), ["grid-1.gwe"])
        self.assertEqual(published(self.node), 1)
        upload(self.node, 2, content)
        publish(self.node, 2)
        self.restart(kill=True)
        self.assertEqual(published(self.node), 2)

    def test_killed_while_it_publishes(self):
        rng = random.Random(SEED)
        workshop = Workshop()
        number, acknowledged = 1, 1
        for _ in range(KILLS):
            number += 1
            content = workshop.file(number, moved=rng.choice([0, MOVED]))
            answers = []

            def bring():
                try:
                    upload(self.node, number, content)
                    publish(self.node, number)
                    answers.append(number)
                except RpcError:
                    pass

            thread = threading.Thread(target=bring)
            thread.start()
            thread.join(timeout=rng.uniform(0, 0.02))
            self.node.process.kill()
            thread.join()
            self.restart(kill=True)
            now = published(self.node)
            self.assertIn(now, (answers or [number, acknowledged]))
            staged = [e.ref.number for e in self.node.client.ListEditions(LIST).editions]
            if number not in staged:
                upload(self.node, number, content)
            acknowledged = now
            self.assertFalse([n for n in files(self.data) if n.endswith(".part")])

    def bring(self, node, content):
        """Uploads and publishes edition 2, then writes something else; what was acknowledged."""
        done = []
        try:
            upload(node, 2, content)
            done.append("uploaded")
            publish(node, 2)
            done.append("published")
            worker = h.worker.Worker(
                id="w", kind=h.worker.WORKER_KIND_FULL_TIME, home_grids=[h.grid_code(3, 3)]
            )
            node.client.UpsertWorkers(
                h.worker.UpsertWorkersRequest(request_id=h.request_id(), workers=[worker]),
                timeout=30,
            )
        except RpcError:
            pass
        return done

    def power(self, root):
        """The environment of a program that works in `root`, and what then cuts its power."""
        journal = h.TMP / f"journal-{time.monotonic_ns()}"
        shim = {
            "LD_PRELOAD": os.path.abspath("tests/crash/libpower_shim.so"),
            "GW_POWER_SHIM_ROOT": str(root),
            "GW_POWER_SHIM_JOURNAL": str(journal),
        }
        return shim, ["tests/crash/power_cut", root, journal]

    def power_cut(self, content, where, number, when, seed):
        """The power goes before or after the node's sync of a file: what is acknowledged stays."""
        data = h.new_folder("cut")
        shim, cut = self.power(data)
        shutil.copytree(self.data, data)
        kill = {
            "GW_POWER_SHIM_KILL_AT": str(number),
            "GW_POWER_SHIM_KILL_FILE": where,
            "GW_POWER_SHIM_KILL_WHEN": when,
        }
        node = h.Node(data, env={**shim, **kill})
        done = self.bring(node, content)
        self.assertEqual(done, ["uploaded", "published"][: max(0, number - 1)])
        node.client.close()
        self.assertEqual(node.process.wait(timeout=60), -9, node.text())
        node.log.close()
        subprocess.run(cut + ([str(seed)] if seed else []), check=True, stdout=subprocess.DEVNULL)
        node = h.Node(data)
        try:
            if "published" in done:
                self.assertEqual(published(node), 2)
            numbers = [e.ref.number for e in node.client.ListEditions(LIST).editions]
            self.assertLessEqual({1, 2} if "uploaded" in done else {1}, set(numbers))
            if published(node) == 1:  # what is recorded is whole, and what is not can come again
                if 2 not in numbers:
                    upload(node, 2, content)
                publish(node, 2)
            place = (BORDER + MOVED / 2, h.SOUTH + h.STEP / 2)
            self.assertEqual(locate(node, place).grid.code, h.grid_code(0, 0))
        finally:
            self.assertEqual(node.stop(), 0, node.text())
        h.run("verify", "--data", data)

    def test_power_lost_at_each_sync(self):
        content = second()
        self.assertEqual(self.node.stop(), 0)
        # The last one comes when the edition's being published has been acknowledged.
        cuts = [
            (".part", 1, "before"),
            ("editions", 1, "before"),
            (".log", 1, "before"),
            (".log", 2, "before"),
            (".log", 2, "after"),
            (".log", 3, "before"),
        ]
        for i, (where, number, when) in enumerate(cuts):
            with self.subTest(where=where, number=number, when=when):
                self.power_cut(content, where, number, when, i % 2)

    def test_power_lost_after_an_import_into_a_folder(self):
        root = h.new_folder("root")
        root.mkdir()
        shim, cut = self.power(root)
        words = [h.PROGRAM, "import", h.city_file(), *h.IMPORT, "--publish", "--data"]
        done = subprocess.run([*words, root / "data"], env={**os.environ, **shim}, timeout=60)
        self.assertEqual(done.returncode, 0)
        subprocess.run(cut, check=True, stdout=subprocess.DEVNULL)
        node = h.Node(root / "data")
        self.addCleanup(node.stop)
        self.assertEqual(published(node), 1)

    def test_people_and_incidents_across_editions(self):
        client, place = self.node.client, h.centre(1, 0)
        home, other = h.grid_code(1, 0), h.grid_code(3, 3)
        for worker, code in (("w1", home), ("w2", other)):
            client.UpsertWorkers(
                h.worker.UpsertWorkersRequest(
                    request_id=h.request_id(),
                    workers=[
                        h.worker.Worker(
                            id=worker, kind=h.worker.WORKER_KIND_FULL_TIME, home_grids=[code]
                        )
                    ],
                )
            )
        client.SetDuty(
            h.worker.SetDutyRequest(
                request_id=h.request_id(), worker_ids=["w1", "w2"], duty=h.worker.DUTY_ON
            )
        )

        def report():
            request = h.incident.ReportRequest(
                request_id=h.request_id(), class_code="01", actor="12345", point=h.point(place)
            )
            return self.node.client.Report(request, timeout=30).incident

        first = report()
        self.assertEqual((first.handler, first.grid_code), ("w1", home))
        self.command("import", h.city_file(without=[home]), *h.IMPORT, "--publish")
        self.assertEqual(published(self.node), 2)
        lost = client.GetWorker(h.worker.GetWorkerRequest(id="w1")).worker
        self.assertEqual((list(lost.home_grids), lost.load), ([home], 1))
        request = h.incident.AcceptRequest(
            request_id=h.request_id(), incident_id=first.id, actor="w1"
        )
        accepted = client.Accept(request).incident
        self.assertEqual((accepted.handler, accepted.grid_code), ("w1", home))
        second = report()  # nobody's place in edition 2
        self.assertEqual((second.grid_code, second.edition.number), ("", 2))
        self.restart(kill=True)
        self.command("edition", "publish", 1)
        third = report()
        self.assertEqual((third.handler, third.edition.number), ("w1", 1))
        roster = self.node.client.GetGrid(h.grid.GetGridRequest(code=home)).roster
        self.assertEqual(list(roster), ["w1"])


if __name__ == "__main__":
    cases.main()
