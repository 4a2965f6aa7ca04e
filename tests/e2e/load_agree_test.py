"""gridwarden-load beside clients that are not ours, on the same work against the real node.

Runs of both alternate, and the best of each are compared, as ratios: the machine may be busy. What
a client costs itself is part of what it measures, hence the tolerances: where the server takes
milliseconds they are narrow, where it takes tens of microseconds they are wide. They are stated
where they are checked.
"""

import json
import sys
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import harness as h  # noqa: E402
import load_peers as peers  # noqa: E402

RUNS = 7 if peers.NIGHTLY else 3
SECONDS = 3 if peers.NIGHTLY else 1


class Agree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data = h.new_folder("agree")
        h.small_city(data)
        cls.node = h.Node(data)

    @classmethod
    def tearDownClass(cls):
        assert cls.node.stop() == 0

    def within(self, found, **bounds):
        print(found)
        for field, (low, high) in bounds.items():
            self.assertGreater(found[field], low, (field, found))
            self.assertLess(found[field], high, (field, found))

    def open_loops(self, rate, work, method, request):
        """Both at this rate, by turns: ratios of ours to theirs."""
        works = [{"rate": rate, "arrivals": "constant", "connections": 1, **work}]
        ours, theirs = [], []
        for _ in range(RUNS):
            result = peers.gridwarden_load(works, server=self.node.target, seconds=SECONDS)
            ours.append(peers.measured_work(result))
            # A new connection each, as ours has: HTTP/2 widens its windows with time.
            other = peers.OpenLoop(self.node.target, method, request)
            theirs.append(other.run(rate, SECONDS))
            other.close()
            print("ours  ", ours[-1], "\ntheirs", theirs[-1])
        self.assertEqual(sum(run.failed for run in ours + theirs), 0)
        return peers.ratios(ours, theirs)

    def closed_loops(self, http, tilejson, connections, zoom=10):
        """Both over the same four tiles, each asked for as fast as it is answered."""
        urls = peers.tiles_seen(tilejson, zoom)
        works = [
            {
                "name": "tiles",
                "call": "tiles",
                "rate": 1,
                "connections": connections,
                "layers": ["grids"],
                "zooms": [zoom, zoom],
                "columns": 1,
                "rows": 1,
                "cache": "none",
                "where": "bounds",
            }
        ]
        ours, theirs = [], []
        for _ in range(RUNS):
            result = peers.gridwarden_load(works, "--closed", http=http, seconds=SECONDS)
            self.assertEqual(peers.work_of(result)["loop"], "closed")
            ours.append(peers.measured_work(result))
            # Little's law: calls in flight = rate x latency; the rest is time between two calls.
            busy = ours[-1].achieved * peers.work_of(result)["summary"]["mean_ms"] / 1000
            print("busy connections:", busy)
            self.assertLess(busy, connections * 1.05)
            self.assertGreater(busy, connections * 0.9)
            theirs.append(peers.h2load(urls, connections, SECONDS))
            print("ours  ", ours[-1], "\nh2load", theirs[-1])
        self.assertEqual(sum(run.failed for run in ours + theirs), 0)
        return peers.ratios(ours, theirs)

    def test_tiles_that_take_their_time_in_a_closed_loop(self):
        server = peers.SlowTiles()
        try:
            found = self.closed_loops(server.address, server.tilejson, connections=8)
        finally:
            server.stop()
        self.within(found, achieved=(0.8, 1.25), p50=(0.8, 1.25), p90=(0.8, 1.25))

    def test_tiles_of_the_node_in_a_closed_loop(self):
        address = f"127.0.0.1:{self.node.http_port}"
        status, text = self.node.http("/tiles/grids.json")
        self.assertEqual(status, 200, text)
        found = self.closed_loops(address, json.loads(text), connections=4)
        self.within(found, achieved=(0.3, 1.3), p50=(0.7, 3.5), p90=(0.5, 3.5))

    def test_locate_at_a_fixed_rate(self):
        request = h.grid.LocateRequest(point=h.point(h.centre(1, 1)))
        work = {"name": "locate", "call": "locate", "where": "grids"}
        found = self.open_loops(300, work, "GridService/Locate", request)
        self.within(found, achieved=(0.98, 1.02), p50=(0.2, 1.25), p90=(0.1, 2))

    @unittest.skipUnless(peers.NIGHTLY, "beside the shorter ones: nightly")
    def test_batches_at_a_fixed_rate(self):
        points = [h.centre(i % 4, i // 4 % 4) for i in range(20000)]
        packed = h.types.PackedPoints(
            longitudes_e7=[round(lon * 1e7) for lon, _ in points],
            latitudes_e7=[round(lat * 1e7) for _, lat in points],
        )
        request = h.grid.LocateBatchRequest(points=packed)
        work = {"name": "batch", "call": "locate_batch", "points": len(points), "where": "grids"}
        found = self.open_loops(20, work, "GridService/LocateBatch", request)
        self.within(found, achieved=(0.95, 1.05), p50=(0.6, 1.6), p90=(0.4, 2.5))


if __name__ == "__main__":
    cases.main()
