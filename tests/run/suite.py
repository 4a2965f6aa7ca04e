"""Everything that `./dev test` and `./dev lint` run, stage by stage, and the true total.

A stage that fails does not keep the next ones from running. The last line is "N passed, N failed".
"""

import argparse
import glob
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../fuzz"))
import bazel
import lint
import run as fuzz
from count import Count, count_events, count_log, count_vitest, one

BUF = "tools/node_modules/.bin/buf"


def command(*words):
    try:
        return subprocess.run(words, cwd=bazel.ROOT, check=False).returncode == 0
    except FileNotFoundError:
        print(f"{words[0]} is not there: ./dev installs it, see what it said above")
        return False


def layout():
    files = [
        path
        for room in ("geo", "services", "loadtest", "tests", "tools/glyphs")
        for path in sorted(glob.glob(f"{bazel.ROOT}/{room}/**/*.[ch]", recursive=True))
    ]
    return one(command("clang-format", "--dry-run", "-Werror", *files), "layout: run ./dev fmt")


def clang_tidy():
    return one(lint.run(), "clang-tidy")


def buf_lint():
    return one(command(BUF, "lint", "proto"), "buf lint")


def published_contract():
    """The git reference that the contract may not break: the last tag, else the main branch."""
    tag = ["describe", "--tags", "--abbrev=0"]
    main = ["rev-parse", "--verify", "--quiet"]
    for words in (tag, [*main, "origin/main"], [*main, "main"]):
        done = subprocess.run(
            ["git", *words], cwd=bazel.ROOT, capture_output=True, text=True, check=False
        )
        reference = done.stdout.strip()
        if done.returncode == 0 and command("git", "cat-file", "-e", f"{reference}:proto/buf.yaml"):
            return reference
    return None


def buf_breaking():
    reference = published_contract()
    if reference is None:
        print("no earlier contract to compare with")
        return Count(skipped=1)
    against = f".git#ref={reference},subdir=proto"
    return one(command(BUF, "breaking", "proto", "--against", against), f"buf breaking: {against}")


def web_check():
    """The page's types, and its logic by Vitest."""
    count = one(command("npm", "--prefix", "web", "run", "--silent", "typecheck"), "web: tsc")
    report = os.path.join(bazel.ROOT, "build", "vitest.json")
    if os.path.exists(report):
        os.unlink(report)
    command(
        "npm",
        "--prefix",
        "web",
        "run",
        "--silent",
        "test",
        "--",
        "--reporter=default",
        "--reporter=json",
        f"--outputFile.json={report}",
    )
    return count + count_vitest(report)


def web_page():
    """The page on a real node with the demo city, driven in Chromium."""
    done = subprocess.run(
        ["/usr/bin/python3", "-B", "tests/browser/run.py"],
        cwd=bazel.ROOT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    print(done.stdout, flush=True)
    return count_log(done.stdout, done.returncode == 0, "tests/browser")


def house_rules():
    status = bazel.run("test", "--config=opt", "//tests/tidy/...")
    return one(status == 0, "tests/tidy")


def build_all():
    status = bazel.run("build", "--config=opt", "--keep_going", "//...")
    return one(status == 0, "bazel build --config=opt //...")


def tests(config, targets, nightly):
    """The tests of one configuration."""
    left_out = [] if config == "opt" else ["-no-sanitizer"]
    left_out += [] if nightly else ["-nightly"]
    arguments = [
        f"--config={config}",
        "--keep_going",
        "--build_tests_only",
        f"--test_tag_filters={','.join(left_out)}",
    ]
    shared = os.path.join(bazel.ROOT, "..", "shared", "data")
    if os.path.isdir(shared):
        arguments.append(f"--test_env=GW_SHARED_DATA={os.path.realpath(shared)}")
    if nightly:
        arguments.append("--test_env=GW_NIGHTLY=1")
    if "GW_SEED" in os.environ:
        arguments.append(f"--test_env=GW_SEED={os.environ['GW_SEED']}")
    status, events = bazel.events("test", *arguments, "--", *targets)
    # Bazel's 4: everything was built and there was no test to run, which a filter may well lead to.
    return count_events(events, 0 if status == 4 else status)


def lint_stages():
    return [
        ("layout", layout),
        ("buf lint", buf_lint),
        ("buf breaking", buf_breaking),
        ("clang-tidy", clang_tidy),
    ]


def test_stages(options):
    targets = options.targets or ["//..."]
    stages = [] if options.targets else [*lint_stages(), ("build", build_all)]
    for config in ("opt", "asan", "tsan"):
        stages.append((config, lambda c=config: tests(c, targets, options.nightly)))
    if not options.targets:
        stages += [("web", web_check), ("page", web_page)]
    seconds = int(os.environ.get("FUZZ_SECONDS", "300" if options.nightly else "30"))
    stages.append(("fuzz", lambda: fuzz.run(targets, seconds)))
    return stages


def run_stages(stages):
    """Runs every stage; the total and the table of them."""
    total, table = Count(), []
    for name, stage in stages:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        count = stage()
        cases = count.passed + count.failed
        row = f"{name:<14}{count.passed:>6} of {cases:<6} {time.monotonic() - began:>7.1f} s"
        print(f"== {row}", flush=True)
        table.append(row)
        total += count
    return total, table


def main():
    parser = argparse.ArgumentParser(prog="./dev")
    parser.add_argument("what", choices=("test", "lint"))
    parser.add_argument("--nightly", action="store_true", help="the long settings as well")
    parser.add_argument("targets", nargs="*", help="Bazel patterns such as //geo/...")
    options = parser.parse_args()
    if options.what == "test":
        stages = test_stages(options)
    else:
        stages = [*lint_stages(), ("tidy", house_rules)]
    total, table = run_stages(stages)
    print("\n== summary", *table, sep="\n")
    for failure in total.failures:
        print(f"FAILED {failure}")
    print(f"{total.skipped} skipped")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    sys.exit(0 if total.failed == 0 and total.passed > 0 else 1)


if __name__ == "__main__":
    main()
