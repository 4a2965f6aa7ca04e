"""Builds the fuzz targets and runs each for some seconds on its corpus, two at a time.

Each target is one case: it passes when nothing crashed, leaked, hung or ran out of memory. What
fails is kept in build/fuzz/<target>/ with the log; put the input into tests/fuzz/corpus/<target>/
with the mend, so that every configuration replays it from then on.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../run"))
import bazel
from count import Count, built_files, one

AT_ONCE = 2


def fuzz_labels(targets):
    pattern = " + ".join(targets)
    query = f"attr(tags, '\\bfuzz\\b', kind(cc_binary, {pattern}))"
    return sorted(bazel.read("query", "--keep_going", query).split())


def fuzz_one(label, program, seconds):
    """Runs one target; None when it passed, else the end of its log."""
    name = label.split(":")[-1]
    folder = os.path.join(bazel.ROOT, "build", "fuzz", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    corpus = os.path.join(bazel.ROOT, "tests", "fuzz", "corpus", name)
    with tempfile.TemporaryDirectory() as found, open(
        os.path.join(folder, "log"), "w+", encoding="utf-8", errors="replace"
    ) as log:
        done = subprocess.run(
            [
                program,
                f"-max_total_time={seconds}",
                "-max_len=65536",
                "-timeout=20",
                "-rss_limit_mb=3072",
                "-print_final_stats=1",
                f"-artifact_prefix={folder}/",
                found,  # what is found goes here, the first folder; the corpus is only read
                corpus,
            ],
            cwd=found,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        log.seek(0)
        lines = log.read().splitlines()
    runs = next((l.split()[-1] for l in lines if "number_of_executed_units" in l), "no")
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name}: {runs} runs in {seconds} s, {verdict}", flush=True)
    return None if done.returncode == 0 else "\n".join(lines[-60:])


def run(targets, seconds):
    labels = fuzz_labels(targets)
    if not labels:
        return Count()
    status, events = bazel.events(
        "build", "--config=fuzz", "--keep_going", "--output_filter=no-target", *labels
    )
    built = built_files(events) if events else {}
    count = Count()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        logs = {
            label: pool.submit(fuzz_one, label, built[label], seconds)
            for label in labels
            if label in built
        }
        for label in labels:
            if label not in built:
                count += one(False, f"{label}: did not build (bazel's exit status {status})")
                continue
            text = logs[label].result()
            if text:
                print(text, flush=True)
            count += one(text is None, f"{label}: see build/fuzz/{label.split(':')[-1]}/")
    return count


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz")
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("targets", nargs="*", default=["//..."], help="such as //geo/...")
    options = parser.parse_args()
    count = run(options.targets, options.seconds)
    for failure in count.failures:
        print(f"FAILED {failure}")
    print(f"{count.passed} passed, {count.failed} failed")
    sys.exit(0 if count.failed == 0 and count.passed > 0 else 1)


if __name__ == "__main__":
    main()
