"""A server that pauses: the open loop of gridwarden-load reports it, a closed loop hides it."""

import math
import sys
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import load_peers as peers  # noqa: E402


class Pause(unittest.TestCase):
    def both_loops(self, period, pause, rate, seconds):
        """The same work against the same server, open and closed."""
        server = peers.PausingServer(period, pause)
        try:
            call = {"name": "locate", "call": "locate"}
            works = [{**call, "rate": rate, "arrivals": "constant", "connections": 1}]
            run = dict(server=server.target, seconds=seconds, warmup=1)
            opened = peers.gridwarden_load(works, **run)
            closed = peers.gridwarden_load(works, "--closed", **run)
        finally:
            server.stop()
        for result in (opened, closed):
            print(peers.work_of(result)["loop"], peers.measured_work(result))
        self.assertEqual(peers.work_of(opened)["loop"], "open")
        self.assertEqual(peers.work_of(closed)["loop"], "closed")
        return opened, closed

    def check(self, period, pause, rate, seconds):
        opened, closed = self.both_loops(period, pause, rate, seconds)
        pause_ms, share = pause * 1000, pause / period
        honest, flattering = peers.measured_work(opened), peers.measured_work(closed)
        self.assertEqual(honest.failed + flattering.failed, 0)
        # Every call was made that was due, and those of the pause waited for its end: their
        # latencies are spread evenly over it.
        self.assertAlmostEqual(honest.achieved / rate, 1, delta=0.1)
        self.assertGreater(honest.p99, 0.75 * pause_ms * (1 - 0.01 / share))
        self.assertLess(honest.p99, 3 * pause_ms)
        # The closed loop had one call in flight when each pause began: too few for its p99.
        self.assertGreater(flattering.done * 0.01, 2 * seconds / period)
        self.assertLess(flattering.p99, 0.25 * honest.p99)
        # It was there in the maximum all the same.
        self.assertGreater(peers.work_of(closed)["summary"]["max_ms"], 0.75 * pause_ms)

        self.check_seconds(peers.work_of(opened), period, pause_ms)

    def check_seconds(self, work, period, pause_ms):
        """Over time the pauses stand where they were: one in every `period` seconds."""
        seconds, window = work["seconds"], math.ceil(period) + 1
        self.assertEqual(sum(seconds["done"]), work["done"])
        for first in range(0, len(seconds["max_ms"]) - window + 1):
            highest = max(seconds["max_ms"][first : first + window])
            self.assertGreater(highest, 0.5 * pause_ms, seconds["max_ms"])
        self.assertLess(min(seconds["p50_ms"]), 0.25 * pause_ms, seconds["p50_ms"])

    def test_a_pause_is_in_p99_of_the_open_loop_and_hidden_by_the_closed(self):
        self.check(period=2, pause=0.3, rate=100, seconds=4)

    @unittest.skipUnless(peers.NIGHTLY, "a minute long: nightly")
    def test_a_second_in_ten(self):
        self.check(period=10, pause=1, rate=100, seconds=30)


if __name__ == "__main__":
    cases.main()
