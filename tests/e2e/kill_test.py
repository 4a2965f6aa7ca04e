"""kill -9 during a stream of reports: nothing acknowledged is lost, nothing is doubled.

Each round starts the real program on a copy of the same small city, sends reports with many in
flight, and lets the process die in the middle: by a SIGKILL from outside after a seeded number
of answers, or by the power-loss shim at a seeded append (a sync of the write-ahead log), after
which everything that was not synced is cut away. Then the node starts again on what is left;
every answer that was given must be found there once, every retry must get the answer that the
first try got, and the state must equal a replay of the history.

GW_SEED=N repeats the rounds of a seed; GW_KILL_ROUNDS and GW_KILL_REPORTS change their number
and size.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import harness as h  # noqa: E402
from grpc import RpcError, StatusCode  # noqa: E402

SEED = int(os.environ.get("GW_SEED") or 20260)
ROUNDS = int(os.environ.get("GW_KILL_ROUNDS") or 20)
REPORTS = int(os.environ.get("GW_KILL_REPORTS") or 10000)
IN_FLIGHT = 256
WORKERS = 40


def prepare():
    """The city with workers on duty: what every round starts from."""
    data = h.new_folder("kill-base")
    h.small_city(data)
    node = h.Node(data)
    ids = [f"w{i:02d}" for i in range(WORKERS)]
    homes = [h.grid_code(c, r) for r in range(h.SIDE) for c in range(h.SIDE)]
    node.client.UpsertWorkers(
        h.worker.UpsertWorkersRequest(
            request_id="roster",
            workers=[
                h.worker.Worker(
                    id=w,
                    kind=h.worker.WORKER_KIND_FULL_TIME,
                    home_grids=[homes[i % len(homes)]],
                    capacity=100,
                )
                for i, w in enumerate(ids)
            ],
        )
    )
    node.client.SetDuty(
        h.worker.SetDutyRequest(request_id="duty", worker_ids=ids, duty=h.worker.DUTY_ON)
    )
    assert node.stop() == 0
    return data


def requests(rng):
    for i in range(REPORTS):
        place = (h.WEST + rng.random() * h.STEP * h.SIDE, h.SOUTH + rng.random() * h.STEP * h.SIDE)
        request = h.incident.ReportRequest(
            request_id=f"r{i}", class_code="01", actor="12345", description=f"report {i}"
        )
        if rng.random() < 0.02:
            request.address = "somewhere"
        else:
            request.point.CopyFrom(h.point(place))
        yield request


class Stream:
    """Reports with up to IN_FLIGHT unanswered; what was answered, and what was not."""

    def __init__(self, node, rng):
        self.node, self.acknowledged, self.unknown, self.faults = node, {}, [], []
        self.room, self.lock, self.over = (
            threading.Semaphore(IN_FLIGHT),
            threading.Lock(),
            threading.Event(),
        )
        self.kill_after = None
        self.todo = list(requests(rng))

    def answered(self, request, call):
        with self.lock:
            try:
                self.acknowledged[request.request_id] = call.result().incident
            except RpcError as error:
                self.unknown.append(request)
                if error.code() not in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED):
                    self.faults.append(f"{error.code()}: {error.details()}")
                self.over.set()
            if self.kill_after is not None and len(self.acknowledged) == self.kill_after:
                os.kill(self.node.process.pid, 9)
        self.room.release()

    def send(self):
        sent = 0
        for request in self.todo:
            self.room.acquire()
            if self.over.is_set():
                self.room.release()
                break
            sent += 1
            call = self.node.client.Report.future(request, timeout=30)
            call.add_done_callback(lambda c, r=request: self.answered(r, c))
        for _ in range(IN_FLIGHT):  # until every call has ended
            self.room.acquire()
        return sent


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"# kill_test: seed {SEED} (repeat with GW_SEED={SEED})")
        cls.base = prepare()

    def check(self, data, stream):
        """Starts the node again and looks for every answer."""
        node = h.Node(data)
        try:
            found, token = {}, ""
            while True:
                page = node.client.IncidentService_List(
                    h.incident.IncidentServiceListRequest(
                        page=h.types.PageRequest(size=1000, token=token)
                    )
                )
                for incident in page.incidents:
                    self.assertNotIn(incident.id, found)
                    found[incident.id] = incident
                token = page.next_token
                if not token:
                    break
            for request_id, incident in stream.acknowledged.items():
                self.assertIn(
                    incident.id, found, f"the report {request_id} was acknowledged and is lost"
                )
            # What was never answered is tried again with the same bytes: it has one effect, then
            # or now.
            by_request = {r.request_id: r for r in stream.todo}
            sample = list(stream.acknowledged)[-200:]
            retries = stream.unknown + [by_request[r] for r in sample]
            answers = [node.client.Report.future(r, timeout=30) for r in retries]
            ids = {r.request_id: a.result().incident.id for r, a in zip(retries, answers)}
            for request_id in sample:
                self.assertEqual(ids[request_id], stream.acknowledged[request_id].id)
            everything = set(found) | set(ids.values())
            self.assertEqual(len(everything), len(stream.acknowledged) + len(stream.unknown))
        finally:
            self.assertEqual(node.stop(), 0, node.text())
        h.run("verify", "--data", data)

    def round(self, number, with_shim):
        rng = random.Random(f"{SEED}/{number}/{with_shim}")
        data, journal = h.new_folder("kill"), h.TMP / f"journal-{number}"
        shutil.copytree(self.base, data)
        env = None
        if with_shim:
            env = {
                "LD_PRELOAD": os.path.abspath("tests/crash/libpower_shim.so"),
                "GW_POWER_SHIM_ROOT": str(data),
                "GW_POWER_SHIM_JOURNAL": str(journal),
                "GW_POWER_SHIM_KILL_AT": str(rng.randint(1, REPORTS // IN_FLIGHT - 1)),
                "GW_POWER_SHIM_KILL_WHEN": rng.choice(["before", "after"]),
            }
        node = h.Node(data, env=env)
        stream = Stream(node, rng)
        if not with_shim:
            stream.kill_after = rng.randint(1, REPORTS - IN_FLIGHT - 1)
        sent = stream.send()
        node.client.close()
        self.assertEqual(
            node.process.wait(timeout=60), -9, "the node was to be killed\n" + node.text()
        )
        node.log.close()
        self.assertEqual(stream.faults, [])
        self.assertEqual(len(stream.acknowledged) + len(stream.unknown), sent)
        self.assertGreater(len(stream.unknown), 0, "no report was in flight")
        if with_shim:
            subprocess.run(
                ["tests/crash/power_cut", data, journal, str(rng.randint(0, 9))],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        self.check(data, stream)
        shutil.rmtree(data)
        return len(stream.acknowledged), len(stream.unknown)


def add_case(number, with_shim):
    def case(self):
        acknowledged, unknown = self.round(number, with_shim)
        print(f"# {acknowledged} acknowledged, {unknown} in flight: none lost, none doubled")

    setattr(Kill, f"test_{'power_loss' if with_shim else 'kill'}_{number:02d}", case)


for number in range(ROUNDS):
    add_case(number, False)
    add_case(number, True)

if __name__ == "__main__":
    cases.main()
