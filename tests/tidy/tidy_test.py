"""The house rules that no compiler holds, one test case each.

Run by Bazel (//tests/tidy:tidy_test) or by hand: python3 tests/tidy/tidy_test.py
`--write` prints the table of arrows into ARCHITECTURE.md, where the test wants to find it.
"""

import ast
import functools
import os
import re
import subprocess
import sys
import tempfile
import unittest

# Bazel links the test to its source: so the whole tree is found from a single file of it.
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path[:0] = [os.path.join(ROOT, "tests/run"), os.path.join(ROOT, "tests/tidy")]
import arrows  # noqa: E402
import cases  # noqa: E402

FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
FILE_LINES_MAX = 600

NOT_OURS = {".git", "build", "data", "node_modules", "__pycache__", "LICENSE", "package-lock.json"}
CODE = (".c", ".h", ".py", ".sh", ".bzl", ".proto", "/BUILD", "/dev", "/run")
TABLE_BEGIN = "<!-- arrows: printed by tests/tidy/tidy_test.py --write -->\n"
TABLE_END = "<!-- end of arrows -->\n"

# Functions that nobody calls here, and what to use.
BANNED = {
    "strcpy": "snprintf or a buffer",
    "stpcpy": "snprintf or a buffer",
    "strcat": "snprintf or a buffer",
    "strncpy": "snprintf or memcpy",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "fgets",
    "rand": "a seeded generator",
    "srand": "a seeded generator",
    "random": "a seeded generator",
    "drand48": "a seeded generator",
    "strtok": "strchr or strcspn",
    "atoi": "strtol with all its checks",
    "atol": "strtol with all its checks",
    "atoll": "strtoll with all its checks",
    "atof": "strtod with all its checks",
    "system": "posix_spawn",
    "popen": "posix_spawn",
    "alloca": "a bounded array",
    "tmpnam": "mkstemp",
    "localtime": "gmtime_r",
    "gmtime": "gmtime_r",
}
# Where giving up is the stated answer to a lack of memory: at start, and in the writer, which
# cannot stop half-way between an event and its state; a restart replays it.
ABORT_ALLOWED = (
    "services/base/",
    "services/incidents/evolve.c",
    "services/incidents/message.c",
    "services/node/",
    "services/shard/",
    "services/store/store.c",
    "services/workers/",
)

# The decision core may format text, and that is all that it may ask of stdio.h.
PURE = "services/incidents/"
IMPURE = r"(?<![\w.>])(v?f?printf|puts|fputs|fopen|fread|fwrite|fgets|getenv|time|perror)\s*\("
SLEEPS = ("sleep", "usleep", "nanosleep", "clock_nanosleep")

# What the objects of geo/ may take from libc and libm; geod_* comes from geodesic.h.
GEO_SYMBOLS = set(
    """__assert_fail __stack_chk_fail _GLOBAL_OFFSET_TABLE_
    malloc calloc realloc free aligned_alloc memcpy memmove memset memcmp strlen strcmp strncmp
    bsearch qsort qsort_r
    acos asin atan atan2 ceil copysign cos cosh exp fabs floor fma fmax fmin fmod frexp hypot ldexp
    llrint log log2 lround lrint modf nearbyint pow remainder rint round sin sincos sinh sqrt tan
    tanh trunc""".split()
)


def names_of_tree():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in NOT_OURS and not n.startswith("bazel-")]
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if name not in NOT_OURS and not os.path.islink(os.path.join(ROOT, path)):
                yield path


@functools.lru_cache(maxsize=None)
def tree():
    """Path -> text of every file of ours that is text; corpora and the like are not."""
    texts = {}
    for path in sorted(names_of_tree()):
        if path.startswith("tests/fuzz/corpus/"):
            continue
        with open(os.path.join(ROOT, path), "rb") as file:
            data = file.read()
        try:
            texts[path] = data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return texts


def files(*suffixes):
    return {p: t for p, t in tree().items() if ("/" + p).endswith(suffixes)}


def bare(text):
    """C with comments and the insides of strings blanked, line for line."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])  # noqa: E731
    return re.sub(pattern, blank, text, flags=re.S)


def functions(text):
    """(name, first line, number of lines) of each function, in the layout of clang-format."""
    code = bare(text)
    for head in re.finditer(r"^[A-Za-z_][^\n=;]*?(\w+)\([^;{=]*\)[^;{=]*\{$", code, re.M):
        end = code.find("\n}", head.end())
        first = code.count("\n", 0, head.start()) + 1
        yield head[1], first, code.count("\n", head.start(), end) + 2


def search(paths, pattern, words):
    """A line for each match of `pattern` in the files."""
    return [
        f"{path}:{number}: {words}: {line.strip()[:80]}"
        for path, text in paths.items()
        for number, line in enumerate(text.split("\n"), 1)
        if re.search(pattern, line)
    ]


def is_test(path):
    return bool(arrows.TEST_FILE.search(path))


class Tidy(unittest.TestCase):
    maxDiff = None

    def none(self, found):
        """Fails with every finding, one a line."""
        if found:
            self.fail("\n" + "\n".join(found))

    def test_arrows_between_rooms(self):
        found = []
        for path, text in files(".c", ".h").items():
            found += arrows.check_file(path, text)
        self.none(found)

    def test_geo_objects_need_libc_and_geodesic_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            needed, defined = {}, set()
            for path in sorted(files(".c")):
                if os.path.dirname(path) not in ("geo", "geo/tiles") or is_test(path):
                    continue
                unit = os.path.join(folder, "unit.o")
                flags = ["-std=c11", "-O1", "-ffp-contract=off", "-I", ROOT]
                source = os.path.join(ROOT, path)
                subprocess.run(["gcc", *flags, "-c", source, "-o", unit], check=True)
                for line in subprocess.check_output(["nm", unit], text=True).splitlines():
                    kind, name = line.split()[-2:]
                    if kind == "U":
                        needed.setdefault(name, path)
                    elif kind.isupper():
                        defined.add(name)
        self.assertTrue(defined)
        self.none(
            [
                f"{path}: needs {name}"
                for name, path in needed.items()
                if name not in GEO_SYMBOLS | defined and not name.startswith("geod_")
            ]
        )

    def test_arrows_are_printed_in_architecture(self):
        text = tree()["ARCHITECTURE.md"]
        self.assertIn(TABLE_BEGIN, text)
        printed = text.split(TABLE_BEGIN)[1].split(TABLE_END)[0]
        self.assertEqual(printed, arrows.table(), "run python3 tests/tidy/tidy_test.py --write")

    def test_functions_are_short(self):
        self.none(
            [
                f"{path}:{first}: {name} has {lines} lines"
                for path, text in files(".c", ".h").items()
                for name, first, lines in functions(text)
                if lines > FUNCTION_LINES_MAX
            ]
        )

    def test_lines_are_short(self):
        self.none(
            [
                f"{path}:{number}: {len(line)} columns"
                for path, text in files(*CODE).items()
                for number, line in enumerate(text.split("\n"), 1)
                if len(line) > COLUMNS_MAX
            ]
        )

    def test_files_are_short(self):
        self.none(
            [
                f"{path}: {text.count(chr(10))} lines"
                for path, text in files(".c", ".h", ".py", ".sh", ".proto").items()
                if text.count("\n") > FILE_LINES_MAX
            ]
        )

    def test_banned_calls(self):
        names = "|".join([*BANNED, "abort", *SLEEPS])
        called = re.compile(rf"(?<![\w.>])({names})\s*\(")
        found = []
        for path, text in files(".c", ".h").items():
            for number, line in enumerate(bare(text).split("\n"), 1):
                for name in called.findall(line):
                    if name in BANNED:
                        found.append(f"{path}:{number}: {name}; use {BANNED[name]}")
                    elif name == "abort" and not (is_test(path) or path.startswith(ABORT_ALLOWED)):
                        found.append(f"{path}:{number}: abort; return an error")
                    elif name in SLEEPS and is_test(path):
                        found.append(f"{path}:{number}: {name} in a test; wait for the event")
        self.none(found)

    def test_the_decision_core_is_pure(self):
        core = {p: bare(t) for p, t in files(".c").items() if p.startswith(PURE)}
        self.none(search({p: t for p, t in core.items() if not is_test(p)}, IMPURE, "impure"))

    def test_python_tests_do_not_sleep(self):
        tests = {p: t for p, t in files(".py").items() if p.startswith("tests/")}
        # Asking again every few hundredths of a second is no sleep that a test depends on.
        self.none(search(tests, r"\btime\.sleep\((?!0\.0\d)", "wait for the event itself"))

    def test_header_guards(self):
        found = []
        for path, text in files(".h").items():
            guard = "GW_" + re.sub(r"\W", "_", path).upper()
            lines = [l for l in text.split("\n") if l.strip() and not l.startswith("//")]
            wanted = [f"#ifndef {guard}", f"#define {guard}"]
            if lines[:2] != wanted or lines[-1] != "#endif":
                found.append(f"{path}: its guard is not {guard}, or not around everything")
        self.none(found)

    def test_no_function_like_macros_but_lists(self):
        found = []
        for path, text in files(".c", ".h").items():
            for name in re.findall(r"^\s*#\s*define\s+(\w+)\(", text, re.M):
                # An X-macro list, or a row of one.
                used_once = re.search(rf"^\s*#\s*undef\s+{name}\b", text, re.M)
                listed = name.endswith(("_LIST", "_ROW")) or used_once
                if not is_test(path) and not listed:
                    found.append(f"{path}: {name} should be a function")
        self.none(found)

    def test_structs_have_no_typedefs(self):
        own = {p: bare(t) for p, t in files(".c", ".h").items()}
        self.none(search(own, r"^\s*typedef\s+(struct|union)\b", "write struct gw_x"))

    def test_nothing_is_marked_unfinished(self):
        marks = r"\b(%s)\b" % "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"])
        self.none(search(tree(), marks, "finish it, or file it"))

    def test_no_paths_of_one_machine(self):
        places = r"(?<![\w.$}])/(%s)/\w" % "|".join(["home", "root", "work", "Users", "mnt"])
        self.none(search(tree(), places, "a path of one machine"))

    def test_no_hosts_of_registries(self):
        texts = dict(tree())
        for folder in ("tools", "web", "tests/tiles"):
            path = f"{folder}/package-lock.json"
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                texts[path] = file.read()
        self.none(search(texts, r'"resolved"\s*:|https?://(registry|deb|pypi|proxy|mirror)[.\w-]*',
                         "name no registry"))

    def test_text_is_clean(self):
        found = search(files(*CODE, ".md", ".yaml", ".json"), r"[ \t]$|\r", "blanks at the end")
        found += search(files(*CODE), r"\t", "a tab")
        for path, text in tree().items():
            if text and not text.endswith("\n") and not path.endswith(".csv"):
                found.append(f"{path}: the last line does not end")
        self.none(found)

    def test_own_targets_carry_the_warnings(self):
        found = []
        for path, text in files("/BUILD").items():
            if not path.startswith(("geo/", "services/", "loadtest/", "tests/", "tools/")):
                continue
            nodes = list(ast.walk(ast.parse(text)))
            own = {
                node.targets[0].id: ast.unparse(node.value)
                for node in nodes
                if isinstance(node, ast.Assign)
            }
            for call in [node for node in nodes if isinstance(node, ast.Call)]:
                rule = getattr(call.func, "id", "")
                words = {k.arg: k.value for k in call.keywords}
                if rule not in ("cc_library", "cc_binary", "cc_test") or "srcs" not in words:
                    continue
                copts = ast.unparse(words["copts"]) if "copts" in words else ""
                copts += " " + own.get(copts, "")
                if not re.search(r"\b(CORE_COPTS|SHELL_COPTS|C_WARN)\b", copts):
                    name = ast.unparse(words["name"])
                    found.append(f"{path}: {rule} {name} is built without our warnings")
        self.none(found)

    def test_fuzz_targets_have_a_corpus(self):
        found, targets = [], set()
        for path, text in files("/BUILD").items():
            targets |= set(re.findall(r'fuzz_target\(\s*name = "(\w+)"', text))
        corpora = os.path.join(ROOT, "tests/fuzz/corpus")
        for name in sorted(targets):
            folder = os.path.join(corpora, name)
            if not os.path.isdir(folder) or len(os.listdir(folder)) < 3:
                found.append(f"tests/fuzz/corpus/{name}: fewer than three inputs")
        for name in sorted(set(os.listdir(corpora)) - targets):
            found.append(f"tests/fuzz/corpus/{name}: no such fuzz target")
        self.assertTrue(targets)
        self.none(found)

    def test_every_room_is_named_in_architecture(self):
        found = set()
        for path in tree():
            first, *rest = path.split("/")
            page, name = "ARCHITECTURE.md", first + "/"
            if first in ("geo", "services") and len(rest) > 1:
                name += rest[0] + "/"
            elif first == "tests" and len(rest) > 1:
                page, name = "tests/README.md", rest[0] + "/"
            hidden = not rest or first.startswith(".") or path == "services/README.md"
            if not hidden and f"`{name}`" not in tree()[page]:
                found.add(f"{name}: not in {page}")
        self.none(sorted(found))

    def test_readmes_say_only_what_is_there(self):
        verbs = set(re.findall(r"^cmd_(\w+)\(\)", tree()["dev"], re.M))
        cli = "".join(text for path, text in tree().items() if path.startswith("services/cli/"))
        commands = set(re.findall(r'\.name = "([a-z -]+)"', cli))
        found = []
        for path in ("README.md", "README.zh-CN.md"):
            text = tree()[path]
            first_screen = "\n".join(text.split("\n")[:40])
            for words in ("./dev up", "./dev test"):
                if words not in first_screen:
                    found.append(f"{path}: {words} is not on the first screen")
            code = "\n".join(re.findall(r"```.*?\n(.*?)```", text, re.S))
            for verb in set(re.findall(r"\./dev (\w+)", text)) - verbs:
                found.append(f"{path}: ./dev has no command {verb}")
            for first, second in re.findall(r"gridwarden ([a-z]+)(?: ([a-z-]+))?", code):
                if not commands & {first, f"{first} {second}"}:
                    found.append(f"{path}: services/cli has no command {first} {second}".strip())
        self.none(found)

    def test_links_lead_somewhere(self):
        found = []
        for path, text in files(".md").items():
            for link in re.findall(r"\]\(([^)#\s]+)", text):
                target = os.path.join(ROOT, os.path.dirname(path), link)
                if "://" not in link and not os.path.exists(target):
                    found.append(f"{path}: {link} is not there")
        self.none(found)


class Rules(unittest.TestCase):
    """The tools of the rules above: that they find what they are to find."""

    def test_arrows_refuse_and_allow(self):
        refused = (
            ("geo/x.c", '"geo/carto/rings.h"'),
            ("geo/x.c", "<stdio.h>"),
            ("services/api/x.c", '"services/grids/importer.h"'),
            ("services/base/x.c", '"geo/lattice.h"'),
            ("services/grids/edition.c", "<ogr_api.h>"),
            ("services/grids/edition.c", '"services/grids/importer.h"'),
            ("services/incidents/x.c", "<time.h>"),
            ("services/nowhere/x.c", "<string.h>"),
            ("services/shard/x.c", "<grpc/grpc.h>"),
            ("services/shard/x.c", "<unheard_of.h>"),
            ("services/store/x.h", '"gridwarden/v1/grid.pb-c.h"'),
            ("services/workers/x.c", '"services/grids/editions.h"'),
        )
        allowed = (
            ("geo/carto/x.c", '"geo/err.h"'),
            ("geo/x_test.c", "<geos_c.h>"),
            ("services/cli/x.c", '"services/grids/importer.h"'),
            ("services/grids/import_x.c", "<ogr_api.h>"),
            ("services/grids/import_x.c", '"services/grids/edition.h"'),
            ("services/rpc/x.c", "<grpc/support/log.h>"),
            ("services/shard/x.c", '"gridwarden/v1/grid.pb-c.h"'),
            ("services/workers/x.c", '"services/grids/edition.h"'),
        )
        for path, header in refused:
            self.assertTrue(arrows.check_file(path, f"#include {header}\n"), (path, header))
        for path, header in allowed:
            self.assertFalse(arrows.check_file(path, f"#include {header}\n"), (path, header))

    def test_comments_and_strings_are_blanked(self):
        text = 'a("b // c"); // d\n/* e\n f */ g'
        self.assertEqual(bare(text), "a(        );     \n    \n      g")

    def test_definitions_are_found_and_measured(self):
        text = (
            "struct x {\n    int a;\n};\n\nstatic const int t[] = {\n    1,\n};\n"
            "int one(void) {\n    return 1; // }\n}\n\nint declared(int a,\n             int b);\n"
            "static int two(int a,\n               int b) {\n    if (a) {\n        b();\n    }\n"
            "    return b;\n}\n"
        )
        self.assertEqual(list(functions(text)), [("one", 8, 3), ("two", 14, 7)])


def write_table():
    path = os.path.join(ROOT, "ARCHITECTURE.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(TABLE_BEGIN)
    after = rest.split(TABLE_END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + TABLE_BEGIN + arrows.table() + TABLE_END + after)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_table()
    else:
        cases.main()
