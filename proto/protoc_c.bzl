"""protoc_c_library: C message code by protobuf-c's compiler, included as "proto/<path>.pb-c.h"."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def protoc_c_library(name, srcs, deps = [], imports = []):
    sources = [src.replace(".proto", ".pb-c.c") for src in srcs]
    headers = [src.replace(".proto", ".pb-c.h") for src in srcs]
    native.genrule(
        name = name + "_gen",
        srcs = srcs + imports,
        outs = sources + headers,
        cmd = "protoc-c --proto_path=proto --c_out=$(RULEDIR) " +
              " ".join(["$(location %s)" % src for src in srcs]),
    )
    cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        includes = ["."],
        deps = deps + ["//third_party:protobuf_c"],
    )
