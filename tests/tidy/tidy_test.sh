#!/bin/sh
# Bazel's sh_test around a Python test: needs no Python toolchain.
exec python3 -B "$(dirname "$0")/tidy_test.py"
