"""Tests of the counting itself: a wrong total would hide failures everywhere else."""

import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import cases  # noqa: E402
import count  # noqa: E402


def log(running, ok, failed=0, skipped=0):
    lines = [f"[==========] Running {running} test(s)."]
    lines += [f"[ RUN      ] case\n[       OK ] case {i}" for i in range(ok)]
    lines += [f"[ RUN      ] case\n[  FAILED  ] case {i}" for i in range(failed)]
    if skipped:
        lines.append(f"[  SKIPPED ] {skipped} test(s), listed below:")
        lines += [f"[  SKIPPED ] case {i}" for i in range(skipped)]
    return "\n".join(lines) + "\n"


def numbers(result):
    return (result.passed, result.failed, result.skipped)


class CountLog(unittest.TestCase):
    def check(self, expected, text, passed=True):
        result = count.count_log(text, passed, "//a:b")
        self.assertEqual(numbers(result), expected)
        self.assertEqual(bool(result.failures), expected[1] > 0)

    def test_all_pass(self):
        self.check((3, 0, 0), log(3, 3))

    def test_failed_cases_are_counted_singly(self):
        self.check((2, 2, 0), log(4, 2, failed=2), passed=False)

    def test_skipped_cases_are_neither(self):
        self.check((1, 0, 2), log(3, 1, skipped=2))

    def test_several_groups_add_up(self):
        self.check((5, 1, 1), log(3, 2, failed=1) + log(4, 3, skipped=1), passed=False)

    def test_a_crash_fails_the_cases_that_did_not_run(self):
        self.check((1, 4, 0), log(5, 1) + "[ RUN      ] case\nSegmentation fault\n", passed=False)

    def test_a_fault_after_the_last_case_fails_one(self):
        self.check((3, 1, 0), log(3, 3) + "LeakSanitizer: detected memory leaks\n", passed=False)

    def test_a_program_without_cases_fails(self):
        self.check((0, 1, 0), "hello\n")
        self.check((0, 1, 0), "", passed=False)

    def test_an_ok_line_behind_other_output_counts(self):
        self.check((1, 0, 0), "[==========] Running 1 test(s).\nnoise[       OK ] case\n")


class CountEvents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.events = []

    def configured(self, label, test=True):
        extra = {"testSize": "MEDIUM"} if test else {}
        key = {"targetConfigured": {"label": label}}
        self.events.append({"id": key, "configured": {"targetKind": "x", **extra}})

    def result(self, label, text, status="PASSED", attempt=1, shard=1):
        path = os.path.join(self.folder.name, f"{len(self.events)} test.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        key = {"label": label, "run": 1, "shard": shard, "attempt": attempt}
        self.events.append(
            {
                "id": {"testResult": key},
                "testResult": {
                    "status": status,
                    "testActionOutput": [
                        {"name": "test.xml", "uri": "file:///nowhere"},
                        {"name": "test.log", "uri": "file://" + path.replace(" ", "%20")},
                    ],
                },
            }
        )

    def count(self, status=0):
        return count.count_events(self.events, status)

    def test_targets_add_up(self):
        for label in ("//a:a_test", "//b:b_test"):
            self.configured(label)
            self.result(label, log(3, 3))
        self.configured("//a:a", test=False)
        self.assertEqual(numbers(self.count()), (6, 0, 0))

    def test_a_target_that_did_not_compile_fails_once(self):
        self.configured("//a:a_test")
        result = self.count(1)
        self.assertEqual(numbers(result), (0, 1, 0))
        self.assertIn("//a:a_test", result.failures[0])

    def test_shards_add_up_and_the_last_attempt_stands(self):
        self.configured("//a:a_test")
        self.result("//a:a_test", log(2, 1, failed=1), "FAILED", attempt=1)
        self.result("//a:a_test", log(2, 2), attempt=2)
        self.result("//a:a_test", log(3, 3), shard=2)
        self.assertEqual(numbers(self.count()), (5, 0, 0))

    def test_a_timeout_fails_what_was_left(self):
        self.configured("//a:a_test")
        self.result("//a:a_test", log(3, 1), "TIMEOUT")
        self.assertEqual(numbers(self.count(3)), (1, 2, 0))

    def test_the_status_of_bazel_is_never_lost(self):
        self.assertEqual(numbers(self.count(2)), (0, 1, 0))
        self.configured("//a:a_test")
        self.result("//a:a_test", log(1, 1))
        self.assertEqual(numbers(self.count(1)), (1, 1, 0))
        self.assertEqual(numbers(self.count(0)), (1, 0, 0))

    def test_a_missing_event_file_has_no_events(self):
        self.assertEqual(count.read_events(os.path.join(self.folder.name, "none")), [])

    def test_an_event_file_is_read_line_by_line(self):
        self.configured("//a:a_test")
        self.result("//a:a_test", log(2, 2))
        path = os.path.join(self.folder.name, "events")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(json.dumps(event) for event in self.events) + "\n\n")
        self.assertEqual(numbers(count.count_events(count.read_events(path), 0)), (2, 0, 0))


if __name__ == "__main__":
    cases.main()
