"""Counts test cases truly: Bazel counts programs, we count the cases that each of them ran.

A test program prints cmocka's lines ("Running 3 test(s)", "[       OK ] name", "[  SKIPPED ] 1
test(s)"); Bazel's build event file says which logs there are, cached ones included.
"""

import json
import re
import urllib.parse
from dataclasses import dataclass, field

RUNNING = re.compile(r"\[==========\] Running (\d+) test\(s\)")
SKIPPED = re.compile(r"\[  SKIPPED \] (\d+) test\(s\)")
OK = "[       OK ]"


@dataclass
class Count:
    """How many cases passed, failed and were skipped, and what failed, in words."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)

    def __add__(self, other):
        return Count(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.failures + other.failures,
        )


def one(ok, what):
    """The count of a single case."""
    return Count(passed=1) if ok else Count(failed=1, failures=[what])


def count_log(text, passed, name):
    """The cases in the log of one test program.

    A case that began and neither passed nor was skipped has failed: that covers crashes and failed
    set-ups. A program that failed although its cases did not, or that passed without running one,
    is a failed case of its own.
    """
    running = sum(int(n) for n in RUNNING.findall(text))
    skipped = sum(int(n) for n in SKIPPED.findall(text))
    ok = text.count(OK)
    failed = max(running - ok - skipped, 0)
    count = Count(ok, failed, skipped)
    if failed:
        count.failures.append(f"{name}: {failed} of {running} cases")
    elif not passed:
        count += one(False, f"{name}: the program failed outside its cases")
    elif running == 0:
        count += one(False, f"{name}: no case ran")
    return count


def count_vitest(path):
    """The cases in Vitest's JSON report; without a report that is a failed case of its own."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return one(False, "web: vitest left no report")
    failures = [
        f"web: {case['fullName']}"
        for suite in report["testResults"]
        for case in suite["assertionResults"]
        if case["status"] == "failed"
    ]
    count = Count(
        report["numPassedTests"], report["numFailedTests"], report["numPendingTests"], failures
    )
    if not report["success"] and not failures:
        count += one(False, "web: vitest failed outside its cases")
    elif report["numTotalTests"] == 0:
        count += one(False, "web: no case ran")
    return count


def read_events(path):
    """The events of a --build_event_json_file; none if Bazel did not get as far as writing it."""
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.strip()]
    except FileNotFoundError:
        return []


def local_path(uri):
    return urllib.parse.unquote(urllib.parse.urlparse(uri).path)


def test_labels(events):
    """The test targets that were configured."""
    return {
        event["id"]["targetConfigured"]["label"]
        for event in events
        if "testSize" in event.get("configured", {})
    }


def last_results(events):
    """Label -> the results of its last attempt, one for each run and shard."""
    results = {}
    for event in events:
        if "testResult" in event:
            key = event["id"]["testResult"]
            runs = results.setdefault(key["label"], {})
            runs[key.get("run"), key.get("shard")] = event["testResult"]
    return {label: list(runs.values()) for label, runs in results.items()}


def result_log(result):
    """(the path of its log or None, the text of it)"""
    for output in result.get("testActionOutput", []):
        if output["name"] == "test.log":
            path = local_path(output["uri"])
            with open(path, encoding="utf-8", errors="replace") as file:
                return path, file.read()
    return None, ""


def count_events(events, bazel_status):
    """The cases of one `bazel test`, whose exit status was bazel_status."""
    count = Count()
    results = last_results(events)
    for label in sorted(test_labels(events) | set(results)):
        if label not in results:
            count += one(False, f"{label}: no result (it did not compile)")
        for result in results.get(label, []):
            path, text = result_log(result)
            name = f"{label} ({path})" if path else label
            count += count_log(text, result.get("status") == "PASSED", name)
    if bazel_status != 0 and count.failed == 0:
        count += one(False, f"bazel itself: exit status {bazel_status}")
    return count


def built_files(events):
    """Label -> the first file that it was built to; targets that did not build are missing."""
    built = {}
    for event in events:
        outputs = event.get("completed", {}).get("importantOutput")
        if outputs:
            built[event["id"]["targetCompleted"]["label"]] = local_path(outputs[0]["uri"])
    return built
