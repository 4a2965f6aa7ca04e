"""services/rpc seen by a client that we did not write: Python's grpcio.

Usage: grpcio_test.py PATH_OF_ECHO_SERVER, from the root of the tree. The service is described in
echo_service.h beside this file. Messages are compiled by protoc into $TEST_TMPDIR. Prints its cases
as cmocka does, so that they are counted alike.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback

import grpc

TIMEOUT = 60  # seconds, for whatever should come at once
SERVICE = "/gridwarden.test.v1.EchoService/"
REQUEST_BYTES_MAX = 1 << 20
RESPONSE_BYTES_MAX = 2 << 20
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"

# As googleapis has it: only what is needed to read what our server sends.
STATUS_PROTO = """
syntax = "proto3";
package google.rpc;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
message Status {
  int32 code = 1;
  string message = 2;
  repeated google.protobuf.Any details = 3;
}
message RetryInfo { google.protobuf.Duration retry_delay = 1; }
"""

SCRATCH = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))


def compile_protos():
    with open(os.path.join(SCRATCH, "status.proto"), "w", encoding="utf-8") as file:
        file.write(STATUS_PROTO)
    subprocess.run(
        ["protoc", "-Iproto", f"-I{SCRATCH}", f"--python_out={SCRATCH}", "status.proto",
         "gridwarden/v1/types.proto", "grpc/health/v1/health.proto"], check=True)
    for folder in ("gridwarden", "gridwarden/v1"):
        open(os.path.join(SCRATCH, folder, "__init__.py"), "w", encoding="utf-8").close()
    sys.path.insert(0, SCRATCH)
    import status_pb2
    from gridwarden.v1 import types_pb2
    # Not as a module: its package is named like grpcio's.
    scope = {"__name__": "health_pb2"}
    with open(os.path.join(SCRATCH, "grpc/health/v1/health_pb2.py"), encoding="utf-8") as file:
        exec(file.read(), scope)
    return types_pb2.Area, scope, status_pb2


AREA, HEALTH, STATUS = compile_protos()


class Server:
    """The echo server as a child process, and a channel to it."""

    def __init__(self, listen="127.0.0.1:0", *more):
        self.child = subprocess.Popen([sys.argv[1], listen, *more], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        word, port = self.child.stdout.readline().split()
        assert word == "port"
        self.target = listen if listen.startswith("unix:") else f"127.0.0.1:{port}"
        self.channel = grpc.insecure_channel(
            self.target, options=[("grpc.max_send_message_length", -1),
                                  ("grpc.max_receive_message_length", -1),
                                  ("grpc.use_local_subchannel_pool", 1)])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.channel.close()
        if self.child.poll() is None:
            self.child.stdin.close()
            try:
                self.child.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.child.kill()
                raise
        if kind is None:
            assert self.child.returncode == 0, f"the server exited with {self.child.returncode}"

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().strip()
        if answer != "done":
            assert self.child.stdout.readline() == "done\n"
        return answer

    def facts(self):
        names = ("unary", "held", "held_cancelled", "streams", "streams_done", "full", "writable",
                 "ok", "unimplemented", "unknown")
        return dict(zip(names, map(int, self.tell("facts").split()[1:])))

    def wait_for(self, **wanted):
        for _ in range(100000):
            facts = self.facts()
            if all(facts[name] == value for name, value in wanted.items()):
                return facts
        raise AssertionError(f"waited for {wanted}, there is {facts}")

    def unary(self, path=SERVICE + "Echo", request=AREA, response=AREA):
        return self.channel.unary_unary(path, request.SerializeToString, response.FromString)

    def echo(self, code="", name="", level=0, **options):
        options.setdefault("timeout", TIMEOUT)
        return self.unary()(AREA(code=code, name=name, level=level), **options)

    def count(self, code="", name="", level=0, **options):
        method = self.channel.unary_stream(SERVICE + "Count", AREA.SerializeToString,
                                           AREA.FromString)
        return method(AREA(code=code, name=name, level=level), **options)

    def sum(self, messages, **options):
        method = self.channel.stream_unary(SERVICE + "Sum", AREA.SerializeToString,
                                           AREA.FromString)
        return method(iter(messages), timeout=TIMEOUT, **options)

    def health(self, service):
        method = self.unary("/grpc.health.v1.Health/Check", HEALTH["HealthCheckRequest"],
                            HEALTH["HealthCheckResponse"])
        return method(HEALTH["HealthCheckRequest"](service=service), timeout=TIMEOUT).status

    def watch(self, service):
        method = self.channel.unary_stream("/grpc.health.v1.Health/Watch",
                                           HEALTH["HealthCheckRequest"].SerializeToString,
                                           HEALTH["HealthCheckResponse"].FromString)
        return method(HEALTH["HealthCheckRequest"](service=service))


def fails(code, text, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        assert text in error.details(), error.details()
        return error
    raise AssertionError(f"no {code}")


# --- cases ---


def unary_calls_are_answered():
    with Server() as server:
        for code in ("", "later"):
            answer = server.echo(code, "银州区 🚦", 7)
            assert (answer.code, answer.name, answer.level) == (code, "银州区 🚦", 7)


def errors_keep_code_and_words():
    text = "第 3 项：编号 'x%y\"z' 无效\n用 12 位数字"
    with Server() as server:
        for number, code in ((3, grpc.StatusCode.INVALID_ARGUMENT),
                             (5, grpc.StatusCode.NOT_FOUND),
                             (7, grpc.StatusCode.PERMISSION_DENIED),
                             (9, grpc.StatusCode.FAILED_PRECONDITION),
                             (11, grpc.StatusCode.OUT_OF_RANGE)):
            error = fails(code, text, server.echo, "fail", text, number)
            assert error.details() == text


def server_streams_come_in_order():
    with Server() as server:
        for code in ("", "thread"):
            for count in (0, 1, 3000):
                levels = [area.level for area in server.count(code, "x", count, timeout=TIMEOUT)]
                assert levels == list(range(count))
        fails(grpc.StatusCode.NOT_FOUND, "the end of the list", list, server.count("fail", "", 3))


def a_silent_stream_says_that_it_was_accepted():
    with Server() as server:
        stream = server.count("open")
        assert isinstance(stream.initial_metadata(), tuple)  # comes without any message
        server.tell("tell 5")
        assert next(stream).level == 5
        stream.cancel()
        server.wait_for(streams_done=1)


def client_streams_are_answered():
    with Server() as server:
        for code in ("", "later"):
            answer = server.sum(AREA(code=code, level=n) for n in range(2000))
            assert (answer.level, answer.name) == (1999000, "2000")
        answer = server.sum([])
        assert (answer.level, answer.name) == (0, "0")


def deadlines_are_kept():
    with Server() as server:
        fails(grpc.StatusCode.DEADLINE_EXCEEDED, "", server.echo, "hold", timeout=0.3)
        if server.facts()["unary"] == 1:
            server.wait_for(held_cancelled=1)
        fails(grpc.StatusCode.DEADLINE_EXCEEDED, "", server.echo, timeout=-1)
        fails(grpc.StatusCode.DEADLINE_EXCEEDED, "", list, server.count("open", timeout=0.3))
        server.tell("release")
        assert server.echo(name="still here").name == "still here"


def cancellation_is_seen():
    with Server() as server:
        call = server.unary().future(AREA(code="hold"))
        server.wait_for(held=1)
        call.cancel()
        server.wait_for(held_cancelled=1)
        for code in ("", "thread", "open"):
            before = server.facts()["streams"]
            stream = server.count(code, "x" * 1000, 1000000)
            if code == "open":
                server.wait_for(streams=before + 1)
            else:
                next(stream)
            stream.cancel()
            server.wait_for(streams_done=before + 1)


def health_is_checked():
    with Server() as server:
        services = ("", "gridwarden.test.v1.EchoService", "grpc.health.v1.Health")
        assert [server.health(service) for service in services] == [2, 2, 2]
        server.tell("serving")
        assert [server.health(service) for service in services] == [1, 1, 1]
        fails(grpc.StatusCode.NOT_FOUND, "no.Such", server.health, "no.Such")


def health_is_watched():
    with Server() as server:
        known, unknown = server.watch("gridwarden.test.v1.EchoService"), server.watch("no.Such")
        assert next(known).status == 2
        assert next(unknown).status == 3
        for word, status in (("serving", 1), ("not-serving", 2), ("serving", 1)):
            server.tell(word)
            assert next(known).status == status
        known.cancel()
        unknown.cancel()


def unknown_methods_are_unimplemented():
    with Server() as server:
        for path in (SERVICE + "Nothing", "/no.Such/Method", "/grpc.health.v1.Health/List"):
            fails(grpc.StatusCode.UNIMPLEMENTED, path, server.unary(path), AREA(), timeout=TIMEOUT)
        streams = server.channel.stream_stream("/no.Such/Stream", AREA.SerializeToString,
                                               AREA.FromString)
        fails(grpc.StatusCode.UNIMPLEMENTED, "/no.Such/Stream", list,
              streams(iter([AREA()] * 3), timeout=TIMEOUT))
        server.wait_for(unimplemented=4, unknown=4)


def message_sizes_are_limited():
    with Server() as server:
        fits = "z" * (REQUEST_BYTES_MAX - 4)  # a tag and three bytes of length
        assert server.echo(name=fits).name == fits
        fails(grpc.StatusCode.RESOURCE_EXHAUSTED, str(REQUEST_BYTES_MAX), server.echo,
              name=fits + "z")
        fails(grpc.StatusCode.RESOURCE_EXHAUSTED, str(REQUEST_BYTES_MAX), server.sum,
              [AREA(name=fits + "z")])
        assert len(server.echo("big", level=RESPONSE_BYTES_MAX - 20).name) == (
            RESPONSE_BYTES_MAX - 20)
        fails(grpc.StatusCode.INTERNAL, str(RESPONSE_BYTES_MAX), server.echo, "big",
              level=RESPONSE_BYTES_MAX)
        fails(grpc.StatusCode.INTERNAL, str(RESPONSE_BYTES_MAX), list,
              server.count("huge", level=RESPONSE_BYTES_MAX))


def a_thousand_calls_are_in_flight():
    with Server() as server:
        calls = [server.unary().future(AREA(code="hold", level=n), timeout=TIMEOUT)
                 for n in range(1000)]
        server.wait_for(held=1000)
        server.tell("release")
        assert [call.result().level for call in calls] == list(range(1000))
        server.wait_for(ok=1000)


def too_many_calls_are_told_when_to_come_again():
    with Server("127.0.0.1:0", "2") as server:
        calls = [server.unary().future(AREA(code="hold"), timeout=TIMEOUT) for _ in range(2)]
        server.wait_for(held=2)
        error = fails(grpc.StatusCode.RESOURCE_EXHAUSTED, "try again", server.echo)
        trailing = dict(error.trailing_metadata())
        assert trailing["grpc-retry-pushback-ms"] == "100"
        status = STATUS.Status.FromString(trailing["grpc-status-details-bin"])
        assert status.code == 8 and status.message == error.details()
        retry = STATUS.RetryInfo()
        assert status.details[0].Unpack(retry)
        assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (0, 100000000)
        assert server.health("") == 2  # answered all the same
        server.tell("release")
        assert len([call.result() for call in calls]) == 2


def damaged_messages_are_refused():
    raw = lambda data: data
    with Server() as server:
        call = server.channel.unary_unary(SERVICE + "Echo", raw, raw)
        for data in (b"\x0a", b"\x0a\x05abc", b"\xff", b"\x12\x01\xff", b"\x09" + b"x" * 8):
            fails(grpc.StatusCode.INVALID_ARGUMENT, "gridwarden.v1.Area", call, data,
                  timeout=TIMEOUT)
        stream = server.channel.stream_unary(SERVICE + "Sum", raw, raw)
        fails(grpc.StatusCode.INVALID_ARGUMENT, "gridwarden.v1.Area", stream,
              iter([b"", b"\x0a"]), timeout=TIMEOUT)
        nothing = server.channel.stream_unary(SERVICE + "Echo", raw, raw)
        fails(grpc.StatusCode.INVALID_ARGUMENT, "without a request", nothing, iter([]),
              timeout=TIMEOUT)
        assert server.facts()["unary"] == 0


def compressed_messages_are_refused():
    with Server() as server:
        error = fails(grpc.StatusCode.UNIMPLEMENTED, "", server.echo, name="z" * 10000,
                      compression=grpc.Compression.Gzip)
        assert "ompress" in error.details(), error.details()
        assert server.facts()["unary"] == 0


def trace_ids_are_taken_over():
    with Server() as server:
        def trace(*values):
            return server.echo("trace", metadata=[("traceparent", v) for v in values]).name
        assert trace(f"00-{TRACE_ID}-00f067aa0ba902b7-01") == TRACE_ID
        made = [trace(), trace(), trace("nonsense"),
                trace(f"00-{TRACE_ID}-00f067aa0ba902b7-01", f"00-{TRACE_ID}-00f067aa0ba902b7-01")]
        assert len(set(made + [TRACE_ID])) == 5
        assert all(len(name) == 32 and int(name, 16) > 0 for name in made)


def rude_clients_do_no_harm():
    with Server() as server:
        port = int(server.target.rsplit(":", 1)[1])
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1000,
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100):
            with socket.create_connection(("127.0.0.1", port)) as rude:
                rude.sendall(data)
        client = subprocess.Popen(
            [sys.executable, "-c",
             "import sys, grpc\n"
             "raw = lambda data: data\n"
             "channel = grpc.insecure_channel(sys.argv[1])\n"
             "call = channel.unary_stream(sys.argv[2], raw, raw)\n"
             "for message in call(bytes.fromhex(sys.argv[3])): print('one', flush=True)\n",
             server.target, SERVICE + "Count",
             AREA(code="thread", name="x" * 1000, level=100000000).SerializeToString().hex()],
            stdout=subprocess.PIPE, text=True)
        assert client.stdout.readline() == "one\n"
        client.send_signal(signal.SIGKILL)  # in the middle of a flood
        client.wait()
        client.stdout.close()
        server.wait_for(streams_done=1)
        assert server.echo(name="fine").name == "fine"


def a_unix_socket_serves():
    path = tempfile.mkdtemp() + "/s"  # $TEST_TMPDIR may be too long for a socket's name
    with Server("unix:" + path) as server:
        assert server.echo(name="x").name == "x"
        assert len(list(server.count("", "x", 100))) == 100
    assert not os.path.exists(path)
    os.rmdir(os.path.dirname(path))


def drain_ends_everything():
    with Server() as server:
        stream = server.count("open")
        stream.initial_metadata()
        held = server.unary().future(AREA(code="hold"), timeout=TIMEOUT)
        server.wait_for(held=1, streams=1)
        server.child.stdin.write("drain 500\n")
        server.child.stdin.flush()
        fails(grpc.StatusCode.UNAVAILABLE, "shutting down", list, stream)
        fails(grpc.StatusCode.UNAVAILABLE, "", held.result)
        assert server.child.stdout.readline() == "drained\n"


CASES = [unary_calls_are_answered, errors_keep_code_and_words, server_streams_come_in_order,
         a_silent_stream_says_that_it_was_accepted, client_streams_are_answered,
         deadlines_are_kept, cancellation_is_seen, health_is_checked, health_is_watched,
         unknown_methods_are_unimplemented, message_sizes_are_limited,
         a_thousand_calls_are_in_flight, too_many_calls_are_told_when_to_come_again,
         damaged_messages_are_refused, compressed_messages_are_refused,
         trace_ids_are_taken_over, rude_clients_do_no_harm, a_unix_socket_serves,
         drain_ends_everything]


def main():
    failed = []
    print(f"[==========] Running {len(CASES)} test(s).", flush=True)
    for case in CASES:
        print(f"[ RUN      ] {case.__name__}", flush=True)
        try:
            case()
            print(f"[       OK ] {case.__name__}", flush=True)
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            failed.append(case.__name__)
            print(f"[  FAILED  ] {case.__name__}", flush=True)
    print(f"[==========] {len(CASES)} test(s) run.")
    print(f"[  PASSED  ] {len(CASES) - len(failed)} test(s).", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
