"""The node's HTTP side as a map, a page and a script use it: tiles, answers, the live stream."""

import gzip
import http.client
import json
import queue
import sys
import threading
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import harness as h  # noqa: E402

LAYERS = ["grids", "villages", "townships", "counties", "cities", "labels", "incidents", "workers"]


class Web:
    """One keep-alive connection."""

    def __init__(self, node):
        self.connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30)

    def ask(self, path, method="GET", body=None, **headers):
        """(status, headers, bytes) of a request."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body=body, headers=names)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def json(self, path, status=200, **headers):
        got, _, body = self.ask(path, **headers)
        assert got == status, (path, got, body)
        return json.loads(body)

    def post(self, path, message, status=200, **headers):
        headers.setdefault("Content_Type", "application/json")
        got, _, body = self.ask(path, "POST", json.dumps(message), **headers)
        assert got == status, (path, got, body)
        return json.loads(body)

    def close(self):
        self.connection.close()


class Stream:
    """A reader of Server-Sent Events, written from the standard (WHATWG HTML, 9.2)."""

    def __init__(self, node, path="/v1/live", last_event_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=60)
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.status
        self.events = queue.Queue()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        event = {"event": "message", "data": "", "id": None}
        try:
            while line := self.answer.readline():
                text = line.decode().rstrip("\n")
                if text == "":
                    if event["data"]:
                        self.events.put((event["event"], event["id"], json.loads(event["data"])))
                    event = {"event": "message", "data": "", "id": None}
                elif not text.startswith(":"):
                    name, _, value = text.partition(":")
                    event[name] = value.removeprefix(" ")
        except (OSError, ValueError, AttributeError):
            pass  # closed from this side

    def until(self, wanted):
        """Events up to and with the first that `wanted(kind, data)` holds for."""
        seen = []
        while True:
            seen.append(self.events.get(timeout=30))
            if wanted(seen[-1][0], seen[-1][2]):
                return seen

    def close(self):
        self.connection.close()


class Map(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = h.new_folder("map")
        h.small_city(cls.data)
        cls.node = h.Node(cls.data)
        cls.c = cls.node.client
        cls.web = Web(cls.node)
        worker = h.worker.Worker(
            id="w1",
            name="张三丰",
            kind=h.worker.WORKER_KIND_FULL_TIME,
            home_grids=[h.grid_code(0, 0)],
            capacity=100,
        )
        cls.c.UpsertWorkers(
            h.worker.UpsertWorkersRequest(request_id=h.request_id(), workers=[worker])
        )
        cls.c.SetDuty(
            h.worker.SetDutyRequest(
                request_id=h.request_id(), worker_ids=["w1"], duty=h.worker.DUTY_ON
            )
        )
        cls.move(h.centre(0, 0))

    @classmethod
    def tearDownClass(cls):
        cls.web.close()
        assert cls.node.stop() == 0, cls.node.text()

    @classmethod
    def move(cls, place):
        position = h.worker.WorkerPosition(
            worker_id="w1", position=h.worker.Position(point=h.point(place))
        )
        cls.c.ReportPositions(iter([h.worker.ReportPositionsRequest(positions=[position])]))

    def report(self, place, status=201, **fields):
        message = {"request_id": h.request_id(), "lon": place[0], "lat": place[1], "class": "04"}
        return self.web.post("/v1/incidents", {**message, **fields}, status)

    # --- tiles ---

    def tile_of(self, place, z):
        import math

        x = (place[0] + 180) / 360 * 2**z
        y = (1 - math.asinh(math.tan(math.radians(place[1]))) / math.pi) / 2 * 2**z
        return f"{z}/{int(x)}/{int(y)}"

    def test_every_layer_has_tilejson_and_tiles(self):
        listed = self.web.json("/tiles.json")["layers"]
        self.assertEqual([row["name"] for row in listed], LAYERS)
        for layer in LAYERS:
            about = self.web.json(f"/tiles/{layer}.json")
            self.assertEqual(about["tilejson"], "3.0.0")
            self.assertEqual(about["vector_layers"][0]["id"], layer)
            self.assertTrue(about["tiles"][0].startswith("http://127.0.0.1:"))
            west, south, east, north = about["bounds"]
            lon, lat = h.centre(1, 1)
            self.assertTrue(west < lon < east and south < lat < north)
        path = f"/tiles/grids/{self.tile_of(h.centre(1, 1), 12)}.mvt"
        status, headers, body = self.web.ask(path, Accept_Encoding="gzip")
        self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))
        self.assertEqual(headers["Content-Type"], "application/vnd.mapbox-vector-tile")
        self.assertEqual(headers["Access-Control-Allow-Origin"], "*")
        plain = self.web.ask(path)[2]
        self.assertEqual(gzip.decompress(body), plain)
        self.assertIn(h.grid_code(1, 1).encode(), plain)
        status, headers, body = self.web.ask(path, If_None_Match=headers["ETag"])
        self.assertEqual((status, body), (304, b""))
        self.assertEqual(self.web.ask("/tiles/grids/12/0/0.mvt")[0], 204)

    def test_tiles_that_there_are_not(self):
        for path, status in (
            ("/tiles/grids/19/0/0.mvt", 400),
            ("/tiles/grids/3/8/0.mvt", 400),
            ("/tiles/grids/3/-1/0.mvt", 400),
            ("/tiles/grids/3/1/0.png", 404),
            ("/tiles/streets/3/1/0.mvt", 404),
            ("/tiles/grids/3/1/0.mvt?edition=x", 400),
            ("/tiles/grids/3/1/0.mvt?color=red", 400),
        ):
            error = self.web.json(path, status)["error"]
            self.assertEqual(error["code"], status)
            self.assertTrue(error["message"])

    # --- answers ---

    def test_locate_equals_grpc(self):
        for column in range(h.SIDE):
            for row in range(h.SIDE):
                lon, lat = h.centre(column, row)
                web = self.web.json(f"/v1/locate?lon={lon}&lat={lat}")
                rpc = self.c.Locate(h.grid.LocateRequest(point=h.point((lon, lat))))
                self.assertEqual(web["grid"]["code"], rpc.grid.code)
                self.assertEqual(web["edition"]["number"], rpc.edition.number)
                self.assertEqual(
                    [area["code"] for area in web["grid"]["areas"]],
                    [area.code for area in rpc.grid.areas],
                )
        outside = self.web.json("/v1/locate?lon=0&lat=0")
        self.assertIsNone(outside["grid"])
        self.assertGreater(outside["nearest"]["distance_m"], 1e6)
        for query in ("lon=1", "lon=1&lat=91", "lon=x&lat=1", "lon=1&lat=1&lat=2", "lon=nan&lat=0"):
            self.web.json(f"/v1/locate?{query}", 400)

    def test_a_grid_as_geojson_and_its_people(self):
        code = h.grid_code(0, 0)
        feature = self.web.json(f"/v1/grids/{code}")
        self.assertEqual((feature["type"], feature["properties"]["code"]), ("Feature", code))
        ring = feature["geometry"]["coordinates"]
        ring = ring[0] if feature["geometry"]["type"] == "Polygon" else ring[0][0]
        self.assertEqual(ring[0], ring[-1])
        self.assertIn([h.WEST, h.SOUTH], ring)
        people = self.web.json(f"/v1/grids/{code}/people")["workers"]
        self.assertEqual([(p["id"], p["name"]) for p in people], [("w1", "张**")])
        self.web.json("/v1/grids/none", 404)

    def test_search_by_code_and_name(self):
        code = h.grid_code(2, 3)
        results = self.web.json(f"/v1/search?q={code}")["results"]
        self.assertEqual((results[0]["type"], results[0]["code"]), ("grid", code))
        results = self.web.json(f"/v1/search?q={h.TOWN}&limit=5")["results"]
        self.assertEqual(len(results), 5)
        self.web.json("/v1/search?q=", 400)
        self.web.json("/v1/search?q=a&limit=1000", 400)

    # --- incidents ---

    def test_report_is_durable_and_has_one_effect(self):
        message = {"request_id": h.request_id(), "class": "04", "description": '<b>&"\\\n'}
        message["lon"], message["lat"] = h.centre(0, 0)
        first = self.web.post("/v1/incidents", message, 201)["incident"]
        again = self.web.post("/v1/incidents", message, 201)["incident"]
        self.assertEqual(first["id"], again["id"])
        self.web.post("/v1/incidents", {**message, "description": "other"}, 409)
        rpc = self.c.Get(h.incident.IncidentServiceGetRequest(id=first["id"])).incident
        self.assertEqual(rpc.description, message["description"])
        self.assertEqual((first["state"], first["handler"]), ("OFFERED", "w1"))
        moved = self.web.post(
            f"/v1/incidents/{first['id']}/accept", {"request_id": h.request_id(), "actor": "w1"}
        )
        self.assertEqual(moved["incident"]["state"], "ACCEPTED")
        trail = self.web.json(f"/v1/incidents/{first['id']}")
        kinds = [event["kind"] for event in trail["events"]]
        self.assertEqual(kinds, ["REPORTED", "PLACED", "OFFERED", "ACCEPTED"])

    def test_bad_reports_are_refused_in_words(self):
        lon, lat = h.centre(0, 0)
        good = {"request_id": "r", "lon": lon, "lat": lat, "class": "04"}
        for change in (
            {"class": "99"},
            {"lon": 181},
            {"lon": "x"},
            {"request_id": ""},
            {"severity": 9},
            {"colour": "red"},
        ):
            error = self.web.post("/v1/incidents", {**good, **change}, 400)["error"]
            self.assertIn(next(iter(change)).split("_")[0], error["message"])
        for body, kind, status in (
            ("{", "application/json", 400),
            (json.dumps(good), "text/plain", 415),
            ("x" * 100000, "application/json", 413),
        ):
            got = self.web.ask("/v1/incidents", "POST", body, Content_Type=kind)
            self.assertEqual(got[0], status, got)
            self.web.close()

    def test_other_sites_are_kept_out(self):
        lon, lat = h.centre(0, 0)
        message = {"request_id": h.request_id(), "lon": lon, "lat": lat, "class": "04"}
        self.web.post("/v1/incidents", message, 403, Origin="http://elsewhere.example")
        self.web.close()
        for path in ("/v1/incidents", "/v1/workers/w1", f"/v1/grids/{h.grid_code(0, 0)}/people"):
            status, headers, _ = self.web.ask(path)
            self.assertEqual(status, 200)
            self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertIn(self.web.ask("/v1/incidents", Host="elsewhere.example")[0], (403, 421))

    # --- the live stream ---

    def test_the_stream_tells_of_an_incident_and_a_move(self):
        stream = Stream(self.node)
        # In the snapshot, or in the first look at positions after it.
        stream.until(lambda _, data: any(row[0] == "w1" for row in data.get("workers", [])))
        incident = self.report(h.centre(1, 1))["incident"]
        seen = stream.until(lambda kind, data: kind == "incident" and data["id"] == incident["id"])
        self.assertEqual(seen[-1][2]["grid"], h.grid_code(1, 1))
        self.move(h.centre(3, 3))
        lon, lat = h.centre(3, 3)
        seen = stream.until(
            lambda kind, data: kind == "workers" and any(row[1] == lon for row in data["workers"])
        )
        last = seen[-1][1]
        stream.close()
        again = self.report(h.centre(2, 2))["incident"]
        resumed = Stream(self.node, last_event_id=last)
        seen = resumed.until(lambda kind, data: kind == "incident")
        self.assertEqual([kind for kind, _, _ in seen if kind in ("snapshot", "ready")], [])
        self.assertEqual(seen[-1][2]["id"], again["id"])
        resumed.close()
        fresh = Stream(self.node, path="/v1/live?workers=0", last_event_id="other-7")
        wanted = {incident["id"], again["id"]}

        def have_all(_, data):
            wanted.difference_update([row["id"] for row in data.get("incidents", [])])
            wanted.discard(data.get("id"))
            return not wanted

        kinds = {kind for kind, _, _ in fresh.until(have_all)}
        self.assertNotIn("workers", kinds)
        self.assertIn("snapshot", kinds)
        fresh.close()

    def test_incidents_appear_in_their_tile(self):
        place = h.centre(3, 0)
        path = f"/tiles/incidents/{self.tile_of(place, 15)}.mvt"
        before = self.web.ask(path)
        incident = self.report(place)["incident"]
        stream = Stream(self.node)
        stream.until(
            lambda kind, data: incident["id"]
            in [row["id"] for row in data.get("incidents", [])] + [data.get("id")]
        )
        stream.close()
        status, headers, body = self.web.ask(path)
        self.assertEqual(status, 200)
        self.assertNotEqual(before[2], body)
        self.assertIn(incident["id"].encode(), body)
        self.assertNotIn("immutable", headers["Cache-Control"])


if __name__ == "__main__":
    cases.main()
