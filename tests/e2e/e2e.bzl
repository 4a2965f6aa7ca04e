"""e2e_test: <name>.py against the real program, with Debian's Python and its grpcio."""

def e2e_test(name, data = [], size = "medium", tags = []):
    native.sh_test(
        name = name,
        size = size,
        srcs = ["py_test.sh"],
        args = ["$(location %s.py)" % name],
        data = data + [
            "harness.py",
            name + ".py",
            "//proto:protos",
            "//services/cli:gridwarden",
            "//tests/run:cases.py",
        ],
        tags = ["no-sanitizer"] + tags,
    )
