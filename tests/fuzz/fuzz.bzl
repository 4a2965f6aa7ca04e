"""fuzz_target: one LLVMFuzzerTestOneInput, as a libFuzzer binary and as a replay of its corpus.

`bazel build --config=fuzz //room:name` makes the fuzzer (`./dev fuzz` runs them all);
`//room:name_replay` runs tests/fuzz/corpus/<name>/ through the same function in any configuration.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")
load("//third_party:copts.bzl", "SHELL_COPTS")

def fuzz_target(name, srcs, deps, copts = SHELL_COPTS):
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        copts = copts,
        linkopts = select({
            "//third_party:fuzz": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = ["manual", "fuzz"],
        deps = deps,
    )
    cc_test(
        name = name + "_replay",
        srcs = srcs + ["//tests/fuzz:replay_main.c"],
        args = ["tests/fuzz/corpus/" + name],
        copts = copts,
        data = ["//tests/fuzz:corpora"],
        deps = deps + ["//third_party:cmocka"],
    )
