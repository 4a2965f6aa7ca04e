#!/bin/sh
# Runs grpcio_test.py with the system's Python, whose grpcio is the client that is not ours.
exec /usr/bin/python3 services/rpc/testdata/grpcio_test.py services/rpc/echo_server
