"""A dispatch system's day, over gRPC with a client that is not ours, against the real program."""

import math
import sys
import threading
import time
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import harness as h  # noqa: E402
from grpc import StatusCode  # noqa: E402

ON = h.worker.DUTY_ON
FULL = h.worker.WORKER_KIND_FULL_TIME
State = h.incident.IncidentState
CONFIG = {
    "classes": [
        {"code": "01", "name": "Sanitation", "answer_seconds": 60},
        {"code": "04", "name": "Emergency", "skill": "first-aid", "answer_seconds": 60},
        {"code": "quick", "name": "Lapses at once", "answer_seconds": 1},
    ],
    "assignment": {"offers_max": 2, "level_max": "village"},
}


class Dispatch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = h.new_folder("dispatch")
        h.small_city(cls.data)
        cls.node = h.Node(cls.data, config=CONFIG, options=["--verbose"])
        cls.c = cls.node.client
        # w1 and w2 in the grid (0, 0), w3 in its village's next grid, w4 in the other village.
        homes = {"w1": (0, 0), "w2": (0, 0), "w3": (1, 0), "w4": (3, 3)}
        workers = [
            h.worker.Worker(
                id=i,
                name=f"员 {i}",
                kind=FULL,
                home_grids=[h.grid_code(*home)],
                skills=["first-aid"] if i == "w3" else [],
                capacity=50,
            )
            for i, home in homes.items()
        ]
        done = cls.c.UpsertWorkers(
            h.worker.UpsertWorkersRequest(request_id=h.request_id(), workers=workers)
        )
        assert done.added == 4, done
        cls.c.SetDuty(
            h.worker.SetDutyRequest(request_id=h.request_id(), worker_ids=list(homes), duty=ON)
        )
        places = {
            "w1": (123.8010, 42.2810),
            "w2": (123.8051, 42.2851),
            "w3": (123.8150, 42.2850),
            "w4": (123.8350, 42.3150),
        }
        positions = [
            h.worker.WorkerPosition(worker_id=i, position=h.worker.Position(point=h.point(p)))
            for i, p in places.items()
        ]
        answer = cls.c.ReportPositions(iter([h.worker.ReportPositionsRequest(positions=positions)]))
        assert answer.applied == 4, answer

    @classmethod
    def tearDownClass(cls):
        assert cls.node.stop() == 0, cls.node.text()

    def report(self, place=None, class_code="01", **fields):
        request = h.incident.ReportRequest(
            request_id=fields.pop("request_id", h.request_id()),
            class_code=class_code,
            actor="12345",
            **fields,
        )
        if place is not None:
            request.point.CopyFrom(h.point(place))
        return self.c.Report(request).incident

    def move(self, name, incident, actor, **fields):
        method, request = getattr(self.c, name), getattr(h.incident, f"{name}Request")
        return method(
            request(request_id=h.request_id(), incident_id=incident.id, actor=actor, **fields)
        ).incident

    def test_locate_one_and_many_agree(self):
        places = [h.centre(c, r) for r in range(h.SIDE) for c in range(h.SIDE)] + [(0.0, 0.0)]
        expected = [h.grid_code(c, r) for r in range(h.SIDE) for c in range(h.SIDE)] + [""]
        one = [self.c.Locate(h.grid.LocateRequest(point=h.point(p))).grid.code for p in places]
        self.assertEqual(one, expected)
        packed = h.types.PackedPoints(
            longitudes_e7=[round(p[0] * 1e7) for p in places],
            latitudes_e7=[round(p[1] * 1e7) for p in places],
        )
        many = self.c.LocateBatch(h.grid.LocateBatchRequest(points=packed))
        self.assertEqual([many.codes[o - 1] if o else "" for o in many.owners], expected)
        self.assertEqual((many.edition.layer, many.edition.number), ("grid", 1))

    def test_a_shared_corner_has_one_owner_and_its_areas(self):
        answer = self.c.Locate(h.grid.LocateRequest(point=h.point((123.81, 42.29))))
        self.assertEqual(answer.grid.code, h.grid_code(1, 1))
        self.assertEqual(
            [a.code for a in answer.grid.areas], [h.VILLAGES[0], h.TOWN, h.TOWN[:6], h.TOWN[:4]]
        )
        self.assertEqual([a.level for a in answer.grid.areas], [1, 2, 3, 4])

    def test_outside_the_nearest_grid_is_named(self):
        answer = self.c.Locate(h.grid.LocateRequest(point=h.point((123.79, 42.285))))
        self.assertFalse(answer.HasField("grid"))
        self.assertEqual(answer.nearest.code, h.grid_code(0, 0))
        self.assertAlmostEqual(
            answer.nearest.distance_m, 0.01 * 111320 * math.cos(math.radians(42.285)), delta=5
        )

    def test_the_nearest_of_the_grids_roster_is_asked_first(self):
        incident = self.report((123.8050, 42.2850))
        self.assertEqual((incident.state, incident.handler), (State.INCIDENT_STATE_OFFERED, "w2"))
        events = self.c.IncidentService_Get(
            h.incident.IncidentServiceGetRequest(id=incident.id, with_events=True)
        ).events
        offer = events[-1].offered
        self.assertEqual([c.worker_id for c in offer.candidates], ["w2", "w1"])
        self.assertEqual([c.level for c in offer.candidates], [0, 0])
        self.assertLess(offer.candidates[0].distance_m, 20)

    def test_the_whole_life(self):
        incident = self.report((123.8050, 42.2850))
        for name, actor, state in (
            ("Accept", incident.handler, State.INCIDENT_STATE_ACCEPTED),
            ("Start", incident.handler, State.INCIDENT_STATE_STARTED),
            ("Resolve", incident.handler, State.INCIDENT_STATE_RESOLVED),
            ("Close", "centre", State.INCIDENT_STATE_CLOSED),
        ):
            self.assertEqual(self.move(name, incident, actor).state, state)
        got = self.c.IncidentService_Get(
            h.incident.IncidentServiceGetRequest(id=incident.id, with_events=True)
        )
        self.assertEqual(
            [e.WhichOneof("kind") for e in got.events],
            ["reported", "placed", "offered", "accepted", "started", "resolved", "closed"],
        )
        self.assertEqual([e.version for e in got.events], list(range(1, 8)))

    def test_a_decline_goes_to_the_next_and_then_to_the_desk(self):
        incident = self.report((123.8050, 42.2850))
        incident = self.move("Decline", incident, "w2", reason="busy")
        self.assertEqual((incident.handler, incident.attempt), ("w1", 2))
        incident = self.move("Decline", incident, "w1")
        self.assertEqual(
            (incident.state, incident.handler),
            (State.INCIDENT_STATE_AT_DESK, "desk:" + h.VILLAGES[0]),
        )
        self.assertEqual(
            self.move("Accept", incident, incident.handler).state, State.INCIDENT_STATE_ACCEPTED
        )

    def test_a_skill_is_looked_for_higher_up(self):
        incident = self.report((123.8050, 42.2850), class_code="04")
        self.assertEqual(incident.handler, "w3")

    def test_no_answer_in_time_goes_on_by_itself(self):
        stream = self.c.Watch(h.incident.IncidentServiceWatchRequest(), timeout=30)
        incident = self.report((123.8050, 42.2850), class_code="quick")
        seen = []
        for message in stream:
            if message.HasField("event") and message.event.incident_id == incident.id:
                seen.append(message.event.WhichOneof("kind"))
                if seen[-1] == "sent_to_desk":
                    break
        stream.cancel()
        self.assertEqual(seen[-4:], ["offer_expired", "offered", "offer_expired", "sent_to_desk"])

    def test_place_unknown_until_it_is_set(self):
        incident = self.report(None, address="银州区某路 1 号")
        self.assertEqual(
            (incident.state, incident.handler),
            (State.INCIDENT_STATE_PLACE_UNKNOWN, "desk:place-unknown"),
        )
        placed = self.c.SetPlace(
            h.incident.SetPlaceRequest(
                request_id=h.request_id(),
                incident_id=incident.id,
                point=h.point(h.centre(3, 3)),
                actor="desk",
            )
        )
        self.assertEqual(
            (placed.incident.handler, placed.incident.grid_code), ("w4", h.grid_code(3, 3))
        )

    def test_outside_every_grid_the_nearest_areas_desk_has_it(self):
        incident = self.report((123.79, 42.285))
        self.assertEqual((incident.grid_code, incident.handler), ("", "desk:" + h.VILLAGES[0]))
        self.assertEqual(incident.nearest_grid_code, h.grid_code(0, 0))
        self.assertGreater(incident.nearest_grid_distance_m, 500)

    def test_a_retry_gets_the_first_answer_and_another_payload_is_refused(self):
        key = h.request_id()
        first = self.report((123.8050, 42.2850), request_id=key)
        again = self.report((123.8050, 42.2850), request_id=key)
        self.assertEqual(first, again)
        code, words = h.status_of(lambda: self.report((123.8051, 42.2850), request_id=key))
        self.assertEqual(code, StatusCode.ALREADY_EXISTS)
        self.assertIn("request_id", words)

    def test_the_wrong_worker_and_the_wrong_state_are_told(self):
        incident = self.report((123.8050, 42.2850))
        code, words = h.status_of(lambda: self.move("Accept", incident, "w4"))
        self.assertEqual(code, StatusCode.PERMISSION_DENIED)
        self.assertIn(incident.handler, words)
        code, words = h.status_of(lambda: self.move("Resolve", incident, incident.handler))
        self.assertEqual(code, StatusCode.FAILED_PRECONDITION)
        ghost = h.incident.Incident(id="0000000000000000-00000fffff")
        self.assertEqual(
            h.status_of(lambda: self.move("Accept", ghost, "w1"))[0], StatusCode.NOT_FOUND
        )

    def test_offers_are_pushed_and_resume_by_token(self):
        stream = self.c.WatchAssignments(
            h.worker.WatchAssignmentsRequest(worker_id="w4"), timeout=30
        )
        messages = []
        opened = threading.Event()
        while not next(stream).token:  # the first token ends what was open before
            pass

        def read():
            try:
                for message in stream:
                    messages.append(message)
                    if message.assignment.state == h.worker.ASSIGNMENT_STATE_RESOLVED:
                        break
            finally:
                opened.set()

        reader = threading.Thread(target=read)
        reader.start()
        incident = self.report(h.centre(3, 3))
        for name in ("Accept", "Start", "Resolve"):
            self.move(name, incident, "w4")
        opened.wait(30)
        stream.cancel()
        reader.join()
        ours = [m for m in messages if m.assignment.incident_id == incident.id]
        states = [m.assignment.state for m in ours]
        W = h.worker
        self.assertEqual(
            list(dict.fromkeys(states)),
            [
                W.ASSIGNMENT_STATE_OFFERED,
                W.ASSIGNMENT_STATE_ACCEPTED,
                W.ASSIGNMENT_STATE_STARTED,
                W.ASSIGNMENT_STATE_RESOLVED,
            ],
        )
        token = next(m.token for m in ours if m.assignment.state == W.ASSIGNMENT_STATE_ACCEPTED)
        resumed = self.c.WatchAssignments(
            W.WatchAssignmentsRequest(worker_id="w4", token=token), timeout=30
        )
        rest = []
        for message in resumed:
            if message.assignment.incident_id == incident.id:
                rest.append(message.assignment.state)
                if rest[-1] == W.ASSIGNMENT_STATE_RESOLVED:
                    break
        resumed.cancel()
        self.assertIn(
            rest,
            (
                [W.ASSIGNMENT_STATE_STARTED, W.ASSIGNMENT_STATE_RESOLVED],
                [W.ASSIGNMENT_STATE_RESOLVED],
            ),
        )

    def test_a_token_of_nothing_is_refused(self):
        for token, expected in (
            ("nonsense", StatusCode.INVALID_ARGUMENT),
            ("0:999999999.0", StatusCode.OUT_OF_RANGE),
        ):
            stream = self.c.Watch(h.incident.IncidentServiceWatchRequest(token=token), timeout=10)
            self.assertEqual(h.status_of(lambda: next(stream))[0], expected)

    def test_nearest_obeys_its_filter(self):
        def nearest(**filters):
            request = h.worker.NearestRequest(
                point=h.point((123.8050, 42.2850)), k=4, filter=h.worker.WorkerFilter(**filters)
            )
            return [w.worker.id for w in self.c.Nearest(request).workers]

        self.assertEqual(nearest(), ["w2", "w1", "w3", "w4"])
        self.assertEqual(nearest(skills=["first-aid"]), ["w3"])
        self.assertEqual(nearest(code_prefix=h.VILLAGES[1]), ["w4"])
        self.assertEqual(nearest(kind=h.worker.WORKER_KIND_PART_TIME), [])

    def test_lists_are_paged(self):
        codes, token = [], ""
        while True:
            page = self.c.ListGrids(
                h.grid.ListGridsRequest(page=h.types.PageRequest(size=5, token=token))
            )
            codes += [g.code for g in page.grids]
            token = page.next_token
            if not token:
                break
        self.assertEqual(codes, sorted(h.grid_code(c, r) for r in range(4) for c in range(4)))
        for _ in range(3):
            self.report((123.8050, 42.2850))
        ids, token = [], ""
        while True:
            page = self.c.IncidentService_List(
                h.incident.IncidentServiceListRequest(
                    page=h.types.PageRequest(size=2, token=token), code_prefix=h.VILLAGES[0]
                )
            )
            ids += [i.id for i in page.incidents]
            token = page.next_token
            if not token:
                break
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreaterEqual(len(ids), 3)

    def test_a_grid_has_its_boundary_and_roster(self):
        answer = self.c.GetGrid(h.grid.GetGridRequest(code=h.grid_code(0, 0), with_boundary=True))
        self.assertEqual(list(answer.roster), ["w1", "w2"])
        ring = answer.grid.boundary.polygons[0].rings[0]
        corners = list(zip(ring.longitudes_e7, ring.latitudes_e7))
        self.assertEqual(corners[0], corners[-1])
        self.assertEqual(
            set(corners),
            {
                (1238000000, 422800000),
                (1238100000, 422800000),
                (1238100000, 422900000),
                (1238000000, 422900000),
            },
        )
        self.assertEqual(answer.grid.name, "网格 " + h.grid_code(0, 0))

    def test_editions_are_listed(self):
        editions = self.c.ListEditions(h.grid.ListEditionsRequest()).editions
        self.assertEqual(
            [(e.ref.number, e.state, e.grid_count) for e in editions],
            [(1, h.grid.EDITION_STATE_PUBLISHED, 16)],
        )
        self.assertRegex(editions[0].content_hash, "^[0-9a-f]{32}$")

    def test_fields_at_and_past_their_limits(self):
        nan, inf = float("nan"), float("inf")
        locate = lambda lon, lat: self.c.Locate(
            h.grid.LocateRequest(point=h.point((lon, lat)))
        )  # noqa: E731
        for lon, lat in ((180, 90), (-180, -90), (180.0, 0.0)):
            locate(lon, lat)
        for lon, lat, expected in (
            (180.0000001, 0, StatusCode.OUT_OF_RANGE),
            (0, -90.0000001, StatusCode.OUT_OF_RANGE),
            (nan, 0, StatusCode.INVALID_ARGUMENT),
            (0, inf, StatusCode.INVALID_ARGUMENT),
        ):
            code, words = h.status_of(lambda: locate(lon, lat))
            self.assertEqual(code, expected)
            self.assertRegex(words, "longitude|latitude")
        self.assertEqual(
            h.status_of(lambda: self.c.Locate(h.grid.LocateRequest()))[0],
            StatusCode.INVALID_ARGUMENT,
        )
        for k, ok in ((0, True), (1, True), (1000, True), (1001, False)):
            request = h.worker.NearestRequest(point=h.point((123.8, 42.28)), k=k)
            if ok:
                self.c.Nearest(request)
            else:
                self.assertEqual(
                    h.status_of(lambda: self.c.Nearest(request))[0], StatusCode.INVALID_ARGUMENT
                )
        place = (123.8050, 42.2850)
        self.report(place, severity=4, description="字" * 1365, address="a" * 512)
        for fields in (
            {"severity": 5},
            {"description": "a" * 4097},
            {"address": "a" * 513},
            {"class_code": "none"},
            {"class_code": ""},
            {"request_id": ""},
            {"request_id": "a" * 129},
            {"channel": 99},
        ):
            code, words = h.status_of(lambda: self.report(place, **fields))
            self.assertEqual(code, StatusCode.INVALID_ARGUMENT, (fields, words))
            self.assertIn(next(iter(fields)), words)
        self.assertEqual(h.status_of(lambda: self.report(None))[0], StatusCode.INVALID_ARGUMENT)
        self.assertEqual(h.status_of(lambda: self.report((nan, 0)))[0], StatusCode.INVALID_ARGUMENT)
        self.assertEqual(h.status_of(lambda: self.report((181, 0)))[0], StatusCode.OUT_OF_RANGE)

    def test_batches_at_and_past_their_limits(self):
        batch = lambda lons, lats: self.c.LocateBatch(
            h.grid.LocateBatchRequest(  # noqa: E731
                points=h.types.PackedPoints(longitudes_e7=lons, latitudes_e7=lats)
            )
        )
        self.assertEqual(len(batch([0] * 100000, [0] * 100000).owners), 100000)
        self.assertEqual(len(batch([], []).owners), 0)
        for lons, lats, expected in (
            ([0] * 100001, [0] * 100001, StatusCode.INVALID_ARGUMENT),
            ([0], [], StatusCode.INVALID_ARGUMENT),
            ([1800000001], [0], StatusCode.OUT_OF_RANGE),
        ):
            self.assertEqual(h.status_of(lambda: batch(lons, lats))[0], expected)

    def test_workers_past_their_limits_are_refused_by_name(self):
        good = dict(id="x", name="n", kind=FULL, home_grids=[h.grid_code(0, 0)], capacity=1)
        for field, value in (
            ("id", ""),
            ("id", "x" * 65),
            ("home_grids", []),
            ("home_grids", ["nowhere"]),
            ("capacity", 101),
            ("skills", ["Bad Skill"]),
            ("kind", 7),
        ):
            request = h.worker.UpsertWorkersRequest(
                request_id=h.request_id(), workers=[h.worker.Worker(**{**good, field: value})]
            )
            code, words = h.status_of(lambda: self.c.UpsertWorkers(request))
            self.assertIn(code, (StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND), (field, words))
        self.assertEqual(
            h.status_of(lambda: self.c.GetWorker(h.worker.GetWorkerRequest(id="x")))[0],
            StatusCode.NOT_FOUND,
        )  # nothing of them was applied

    def test_a_corrected_place_withdraws_the_offer_where_it_was(self):
        stream = self.c.WatchAssignments(
            h.worker.WatchAssignmentsRequest(area_code=h.VILLAGES[0]), timeout=30
        )
        while not next(stream).token:
            pass
        incident = self.report((123.8050, 42.2850))
        self.c.SetPlace(
            h.incident.SetPlaceRequest(
                request_id=h.request_id(),
                incident_id=incident.id,
                point=h.point(h.centre(3, 3)),
                actor="desk",
            )
        )
        states = []
        for message in stream:
            if message.assignment.incident_id == incident.id:
                states.append((message.assignment.worker_id, message.assignment.state))
                if len(states) == 2:
                    break
        stream.cancel()
        W = h.worker
        self.assertEqual(
            states,
            [
                (incident.handler, W.ASSIGNMENT_STATE_OFFERED),
                (incident.handler, W.ASSIGNMENT_STATE_WITHDRAWN),
            ],
        )

    def test_calls_are_logged_by_trace_without_what_was_said(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        request = h.incident.ReportRequest(
            request_id=h.request_id(),
            class_code="01",
            address="龙山路七号",
            description="a private matter",
            actor="reporter-quartz",
        )
        self.c.Report(request, metadata=[("traceparent", f"00-{trace}-00f067aa0ba902b7-01")])
        deadline = time.monotonic() + 30
        lines = []
        while not lines and time.monotonic() < deadline:  # the line comes just after the answer
            lines = [line for line in self.node.text().splitlines() if trace in line]
        self.assertEqual(len(lines), 1)
        self.assertRegex(
            lines[0], r"debug +call method=gridwarden\.v1\.IncidentService/Report code=OK ms=\d+"
        )
        for private in ("龙山路", "quartz", "a private matter"):
            self.assertNotIn(private, self.node.text())

    def test_health_metrics_and_readiness(self):
        self.assertEqual(self.c.Check(h.health.HealthCheckRequest()).status, 1)
        self.assertEqual(
            self.c.Check(h.health.HealthCheckRequest(service="gridwarden.v1.GridService")).status, 1
        )
        self.assertEqual(self.node.http("/healthz")[0], 200)
        self.assertEqual(self.node.http("/readyz")[0], 200)
        self.c.Locate(h.grid.LocateRequest(point=h.point(h.centre(0, 0))))
        status, text = self.node.http("/metrics")
        self.assertEqual(status, 200)
        for line in (
            'gridwarden_rpc_duration_seconds_count{method="gridwarden.v1.GridService/Locate"}',
            "gridwarden_grids 16",
            "gridwarden_grid_index_bytes ",
            'gridwarden_edition_number{layer="grid"} 1',
            "gridwarden_workers 4",
        ):
            self.assertIn(line, text)
        self.assertNotIn("员", text + self.node.text())  # no names in metrics or logs


if __name__ == "__main__":
    cases.main()
