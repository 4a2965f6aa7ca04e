"""Warning flags of our own C code; generated code goes without."""

C_WARN = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wvla",
    "-Werror",
]

# geo/ and the decision core: pure C11, and the same floating-point results everywhere.
CORE_COPTS = C_WARN + ["-ffp-contract=off"]

# Everything else may call POSIX and Linux.
SHELL_COPTS = C_WARN + ["-D_GNU_SOURCE"]
