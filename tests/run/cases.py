"""Runs a unittest module and prints cmocka's lines, so that its cases count like those in C."""

import sys
import time
import unittest


class CmockaResult(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()
        self._faults = len(self.failures) + len(self.errors) + len(self.skipped)
        print(f"[ RUN      ] {test.id()}", flush=True)

    def stopTest(self, test):
        super().stopTest(test)
        if len(self.failures) + len(self.errors) + len(self.skipped) == self._faults:
            print(f"[       OK ] {test.id()}", flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"[  SKIPPED ] {test.id()}: {reason}", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        print(f"{self.failures[-1][1]}[  FAILED  ] {test.id()}", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        print(f"{self.errors[-1][1]}[  FAILED  ] {test.id()}", flush=True)

    def addSubTest(self, test, subtest, err):
        faults = len(self.failures) + len(self.errors)
        super().addSubTest(test, subtest, err)
        if len(self.failures) + len(self.errors) > faults:
            listed = self.failures if issubclass(err[0], test.failureException) else self.errors
            print(f"{listed[-1][1]}[  FAILED  ] {subtest.id()}", flush=True)


def main(module="__main__"):
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    result = CmockaResult()
    print(f"[==========] Running {suite.countTestCases()} test(s).", flush=True)
    suite.run(result)
    print(f"[==========] {result.testsRun} test(s) run.")
    if result.skipped:
        print(f"[  SKIPPED ] {len(result.skipped)} test(s).")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
