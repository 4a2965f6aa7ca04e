#!/bin/sh
# Bazel's sh_test around a Python test with Debian's own Python: grpcio is its package.
exec /usr/bin/python3 -B "$1"
