"""gridwarden-load against the real node: killed in the middle, stopped early, wrongly called."""

import json
import os
import signal
import subprocess
import sys
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import harness as h  # noqa: E402

LOADER = os.environ.get("GW_LOADER") or str(h.ROOT / "loadtest/gridwarden-load")


def scenario(name, *works, **settings):
    """Writes one; the machine of a test may be slow, so lateness is allowed."""
    path = h.TMP / f"{name}.json"
    settings = {"name": name, "warmup_seconds": 0, "lateness_ms_max": 1000, **settings}
    path.write_text(json.dumps({**settings, "works": works}))
    return path


def begin(*words):
    return subprocess.Popen(
        [LOADER, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process, code):
    out, err = process.communicate(timeout=120)
    if process.returncode != code:
        raise AssertionError(f"exit code {process.returncode}, not {code}\n{out}{err}")
    return out, err


def load(*words, code=0):
    return end(begin(*words), code)


def incidents(node):
    token = ""
    while True:
        page = node.client.IncidentService_List(
            h.incident.IncidentServiceListRequest(page=h.types.PageRequest(size=1000, token=token))
        )
        yield from page.incidents
        token = page.next_token
        if not token:
            return


def wait_for_reports(events, count):
    """Reads the watch until `count` more incidents were reported."""
    for message in events:
        count -= message.event.WhichOneof("kind") == "reported"
        if count <= 0:
            return


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = h.new_folder("load")
        h.small_city(cls.data)
        cls.node = h.Node(cls.data)
        cls.node.client.UpsertWorkers(
            h.worker.UpsertWorkersRequest(
                request_id="roster",
                workers=[
                    h.worker.Worker(
                        id=f"w{i}",
                        kind=h.worker.WORKER_KIND_FULL_TIME,
                        home_grids=[h.grid_code(i % h.SIDE, i // h.SIDE % h.SIDE)],
                        capacity=100,
                    )
                    for i in range(40)
                ],
            )
        )

    @classmethod
    def tearDownClass(cls):
        assert cls.node.stop() == 0, cls.node.text()

    def watch(self):
        """The node's events from about now on."""
        return self.node.client.IncidentService_Watch(h.incident.IncidentServiceWatchRequest())

    def test_nothing_is_lost_when_the_node_is_killed(self):
        works = ({"call": "report", "rate": 150, "connections": 3}, {"call": "locate", "rate": 20})
        path, out = scenario("kill", *works, seconds=4, timeout_ms=2000), h.TMP / "kill.out"
        events = self.watch()
        before = len(list(incidents(self.node)))
        process = begin(
            "run", path, "--server", self.node.target, "--verify", "--quiet", "--json", out
        )
        wait_for_reports(events, 150)
        ports = [
            *("--grpc-listen", f"127.0.0.1:{self.node.grpc_port}"),
            *("--http-listen", f"127.0.0.1:{self.node.http_port}"),
        ]
        self.node.kill()
        Load.node = h.Node(self.data, options=ports)
        said, _ = end(process, 0)
        self.assertIn("0 LOST, 0 DOUBLED", said)
        result = json.loads(out.read_text())
        verify = result["verify"]
        self.assertEqual((verify["lost"], verify["doubled"]), (0, 0))
        self.assertGreater(verify["retried"], 0)
        self.assertGreater(verify["reconnects"], 0)
        report, locate = result["steps"][0]["works"]
        self.assertEqual((report["done"], report["failed"]), (report["intended"], 0))
        self.assertEqual(verify["acknowledged"], report["done"])
        self.assertEqual(locate["done"] + locate["failed"], locate["intended"])
        ours = list(incidents(Load.node))
        self.assertEqual(len(ours) - before, report["done"])
        self.assertEqual(len({i.description for i in ours}), len(ours))

    def test_every_kind_of_call_is_answered(self):
        works = (
            {"call": "locate", "rate": 50},
            {"call": "locate_batch", "rate": 5, "points": 100},
            {"call": "nearest", "rate": 50},
            {"call": "get_grid", "rate": 20, "boundary": True},
            {"call": "report", "rate": 20},
            {"call": "positions", "period_seconds": 0.5, "connections": 2, "on_duty": True},
            {
                "call": "follow",
                "accept_seconds": [0.1, 0.3],
                "start_seconds": [0.1, 0.1],
                "resolve_seconds": [0.1, 0.1],
                "close_seconds": [0.1, 0.1],
            },
            {"call": "watch_incidents", "connections": 2},
            {"call": "watch_assignments"},
            {"call": "tiles", "rate": 10, "cache": "revalidate", "where": "grids"},
            {"call": "live", "connections": 3},
        )
        out, page = h.TMP / "all.out", h.TMP / "all.html"
        path = scenario("all", *works, seconds=2)
        http = f"127.0.0.1:{self.node.http_port}"
        words = ["run", path, "--server", self.node.target, "--http", http]
        said, shown = load(*words, "--json", out, "--html", page, "--commit", "abc")
        for work in json.loads(out.read_text())["steps"][0]["works"]:
            self.assertGreater(work["done"], 0, work["name"])
            self.assertEqual(work["failed"] + work["unfinished"], 0, work)
            self.assertIn(work["name"][:14], said)
        self.assertIn("locate", shown)  # the table while it runs
        self.assertIn("<html", page.read_text().lower())
        closed = [i for i in incidents(self.node) if i.state == h.incident.INCIDENT_STATE_CLOSED]
        self.assertGreater(len(closed), 0)

    def test_a_rate_that_was_not_offered_is_refused(self):
        path = scenario("bound", {"call": "locate", "rate": 5000, "in_flight_max": 1}, seconds=1)
        said, _ = load("run", path, "--server", self.node.target, "--quiet", code=3)
        self.assertIn("NOT OFFERED", said)
        self.assertIn("not sent", said)

    def test_a_closed_loop_is_labelled(self):
        path = scenario("closed", {"call": "locate", "rate": 50, "connections": 2}, seconds=1)
        said, _ = load("run", path, "--server", self.node.target, "--quiet", "--closed")
        self.assertIn("CLOSED", said)

    def test_an_early_end_shows_what_was_measured(self):
        path = scenario("early", {"call": "report", "rate": 50}, seconds=60)
        events = self.watch()
        process = begin("run", path, "--server", self.node.target, "--quiet")
        wait_for_reports(events, 20)
        process.send_signal(signal.SIGINT)
        said, err = end(process, 130)
        self.assertIn("Report", said)
        self.assertIn("CUT SHORT", err)

    def test_wrong_command_lines_and_files(self):
        for words, told in (
            ((), "help"),
            (("run",), "name a scenario"),
            (("run", "a", "b"), "one scenario at a time"),
            (("run", "a", "--nothing"), "--nothing"),
            (("run", "a", "--seconds"), "needs a value"),
            (("run", "a", "--seconds", "soon"), "--seconds is soon"),
            (("run", "a", "--sweep", "1,,2"), "--sweep"),
            (("run", "a", "--seed", "-1"), "--seed"),
        ):
            _, err = load(*words, code=2)
            self.assertIn(told, err)
        _, err = load("run", h.TMP / "nowhere.json", code=1)
        self.assertIn("nowhere.json", err)
        path = scenario("typo", {"call": "locate", "rates": 1})
        self.assertIn("rates is not a setting", load("run", path, code=1)[1])
        path = scenario("alone", {"call": "locate", "rate": 1})
        self.assertIn("127.0.0.1:1", load("run", path, "--server", "127.0.0.1:1", code=1)[1])
        self.assertIn("Exit codes", load("help")[0])
        self.assertIn("city-day", load("list", "loadtest/scenarios")[0])


if __name__ == "__main__":
    cases.main()
