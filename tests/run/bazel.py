"""How the programs under tests/ call Bazel: with the flags that ./dev gives them."""

import os
import subprocess

import count

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))


def flags():
    return os.environ.get("GW_BAZEL_FLAGS", "").splitlines()


def run(verb, *arguments):
    """Runs Bazel before the user's eyes and returns its exit status."""
    return subprocess.run(["bazel", verb, *flags(), *arguments], cwd=ROOT, check=False).returncode


def events(verb, *arguments):
    """Runs Bazel and returns (exit status, build events)."""
    path = os.path.join(ROOT, "build", "events.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.remove(path)
    status = run(verb, f"--build_event_json_file={path}", *arguments)
    return status, count.read_events(path)


def read(verb, *arguments, with_flags=False):
    """What Bazel prints; its messages go to the user only if it fails."""
    command = ["bazel", verb, *(flags() if with_flags else []), "--noshow_progress", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr, flush=True)
    return done.stdout
