"""clang-tidy over our own C files, with the compile commands that Bazel would use.

A file that was found clean is not looked at again until its preprocessed text, its command, the
checks or clang-tidy itself change.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess

import bazel

CONFIG = "--config=opt"
CACHE = os.path.join(os.environ.get("GW_CACHE", os.path.join(bazel.ROOT, "build")), "lint")
GCC_ONLY = {
    "-fno-canonical-system-headers",
    "-Wunused-but-set-parameter",
    "-Wno-free-nonheap-object",
}


def compile_commands():
    """One entry for each C file of ours, written to build/compile_commands.json as well."""
    execution_root = bazel.read("info", "execution_root").strip()
    text = bazel.read(
        "aquery",
        CONFIG,
        "--keep_going",
        "--output=jsonproto",
        'mnemonic("CppCompile", //...)',
        with_flags=True,
    )
    entries = {}
    for action in json.loads(text or "{}").get("actions", []):
        arguments = [a for a in action["arguments"] if a not in GCC_ONLY]
        file = arguments[arguments.index("-c") + 1]
        if file.startswith(("bazel-out/", "external/")) or not file.endswith(".c"):
            continue
        # Generated headers lie in Bazel's folder, wherever its links point at the moment.
        arguments = [re.sub(r"^bazel-out/", f"{execution_root}/bazel-out/", a) for a in arguments]
        arguments[0] = "clang"
        entries.setdefault(file, {"directory": bazel.ROOT, "file": file, "arguments": arguments})
    folder = os.path.join(bazel.ROOT, "build")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as out:
        json.dump(list(entries.values()), out, indent=1)
    return list(entries.values())


def fingerprint(entry, checks):
    """What the verdict on a file depends on; None when it does not even preprocess."""
    output = [a for a in entry["arguments"] if a not in ("-c", "-MD")]
    for flag in ("-o", "-MF"):
        if flag in output:
            at = output.index(flag)
            del output[at : at + 2]
    command = [*output, "-E", "-CC", "-dD", "-Wno-everything"]
    done = subprocess.run(command, cwd=entry["directory"], capture_output=True, check=False)
    if done.returncode != 0:
        return None
    return hashlib.sha256(checks + shlex.join(command).encode() + done.stdout).hexdigest()


def check_file(entry, checks):
    """The complaints about one file, empty when it is clean."""
    key = fingerprint(entry, checks)
    mark = os.path.join(CACHE, key) if key else None
    if mark and os.path.exists(mark):
        return ""
    done = subprocess.run(
        ["clang-tidy", "-p", "build", "--quiet", entry["file"]],
        cwd=bazel.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0 and mark:
        with open(mark, "w", encoding="utf-8"):
            return ""
    return "" if done.returncode == 0 else done.stdout + done.stderr


def run():
    """Prints what clang-tidy says of every file; true when it has nothing to say."""
    if bazel.run("build", CONFIG, "--keep_going", "//proto/...") != 0:
        return False  # no generated headers, so nothing would compile
    entries = compile_commands()
    if not entries:
        print("clang-tidy: Bazel names no C file to check")
        return False
    os.makedirs(CACHE, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=False).stdout
    with open(os.path.join(bazel.ROOT, ".clang-tidy"), "rb") as file:
        checks = version + file.read()
    clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(lambda entry: check_file(entry, checks), entries):
            if text:
                clean = False
                print(text, flush=True)
    print(f"clang-tidy: {len(entries)} files, {'clean' if clean else 'not clean'}")
    return clean
