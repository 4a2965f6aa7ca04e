"""The command line as people and scripts use it: forms, columns, exit codes, bad input."""

import csv
import io
import json
import os
import pathlib
import sys
import unittest

sys.path[:0] = ["tests/run", "tests/e2e"]
import cases  # noqa: E402
import harness as h  # noqa: E402


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def write(name, text):
    path = h.TMP / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class OnAFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = h.new_folder("cli")
        h.small_city(cls.data)

    def test_locate_prints_id_and_code(self):
        lon, lat = h.centre(2, 1)
        points = write("p.csv", f"id,lon,lat\na,{lon},{lat}\nb,0,0\n")
        out, _ = h.run("locate", "--data", self.data, "--points", points, "--csv")
        self.assertEqual(out, f"id,code\na,{h.grid_code(2, 1)}\nb,\n")
        points = write("q.csv", f"lat,lon\n{lat},{lon}\n")
        out, _ = h.run("locate", "--data", self.data, "--points", points, "--csv")
        self.assertEqual(out, f"id,code\n1,{h.grid_code(2, 1)}\n")
        out, _ = h.run(
            "locate",
            "--data",
            self.data,
            "--points",
            "-",
            "--json",
            stdin=f"lon,lat\n{lon},{lat}\n",
        )
        self.assertEqual(json.loads(out), [{"id": "1", "code": h.grid_code(2, 1)}])

    def test_locate_one_point_in_every_form(self):
        lon, lat = h.centre(0, 0)
        out, _ = h.run("locate", "--data", self.data, "--lon", lon, "--lat", lat, "--json")
        row = json.loads(out)[0]
        self.assertEqual((row["code"], row["edition"]), (h.grid_code(0, 0), 1))
        self.assertIn(h.TOWN, row["areas"])
        out, _ = h.run("locate", "--data", self.data, "--lon", 0, "--lat", 0, "--csv")
        self.assertEqual(table(out)[0]["code"], "")
        self.assertGreater(float(table(out)[0]["nearest_m"]), 1e6)
        self.assertIn(
            h.grid_code(0, 0), h.run("locate", "--data", self.data, "--lon", lon, "--lat", lat)[0]
        )

    def test_bad_rows_are_named_and_nothing_is_answered(self):
        points = write("bad.csv", "lon,lat\n1,2\n,\nx,2\nNaN,2\n1,91\n")
        out, err = h.run("locate", "--data", self.data, "--points", points, "--csv", code=1)
        self.assertEqual(out, "")
        for row in (3, 4, 5, 6):
            self.assertIn(f"row {row}", err)

    def test_wrong_command_lines_say_so_with_exit_code_2(self):
        for words in (
            (),
            ("nothing",),
            ("locate",),
            ("locate", "--lon", 1),
            ("locate", "--lon", "x", "--lat", 1),
            ("locate", "--bogus"),
            ("locate", "--points"),
            ("nearest", "-k", 0, "--lon", 1, "--lat", 1),
            ("import", "--data", "x"),
            ("serve",),
            ("worker",),
            ("incident", "accept"),
            ("report", "--lon", 1, "--lat", 1),
            ("report", "--class", "01", "--channel", "smoke"),
            ("locate", "--lon", 1, "--lat", 1, "--csv", "--json", "--data", self.data),
        ):
            _, err = h.run(*words, code=2)
            self.assertTrue(err)

    def test_help_is_there_for_every_command(self):
        out, _ = h.run("--help")
        commands = [line[2:20].strip() for line in out.splitlines() if line.startswith("  ")]
        self.assertGreater(len(commands), 20)
        for command in commands:
            text, _ = h.run(*command.split(), "--help")
            self.assertIn("Usage: gridwarden " + command, text)
            self.assertIn("Exit codes", text)

    def test_commands_work_on_a_folder_without_a_node(self):
        data = h.new_folder("folder")
        h.small_city(data)
        workers = write(
            "w.csv",
            f"id,name,kind,home_grids,skills,capacity\nw1,张三,full-time,{h.grid_code(0, 0)},a;b,2\n",
        )
        self.assertIn("1 workers added", h.run("worker", "import", workers, "--data", data)[0])
        h.run("worker", "duty", "on", "w1", "--data", data)
        row = table(h.run("worker", "get", "w1", "--data", data, "--csv")[0])[0]
        self.assertEqual(
            (row["name"], row["duty"], row["skills"], row["capacity"]), ("张三", "ON", "a;b", "2")
        )
        lon, lat = h.centre(0, 0)
        made = table(
            h.run("report", "--data", data, "--lon", lon, "--lat", lat, "--class", "01", "--csv")[0]
        )[0]
        self.assertEqual((made["state"], made["handler"]), ("OFFERED", "w1"))
        for verb, state in (
            ("accept", "ACCEPTED"),
            ("start", "STARTED"),
            ("resolve", "RESOLVED"),
            ("close", "CLOSED"),
        ):
            row = table(
                h.run("incident", verb, made["id"], "--actor", "w1", "--data", data, "--csv")[0]
            )[0]
            self.assertEqual(row["state"], state)
        trail = table(h.run("incident", "get", made["id"], "--events", "--data", data, "--csv")[0])
        self.assertEqual(
            [e["event"] for e in trail],
            ["reported", "placed", "offered", "accepted", "started", "resolved", "closed"],
        )
        self.assertIn("sound", h.run("verify", "--data", data)[0])
        self.assertEqual(len(table(h.run("grid", "list", "--data", data, "--csv")[0])), 16)
        shape = json.loads(h.run("grid", "get", h.grid_code(0, 0), "--geojson", "--data", data)[0])
        self.assertEqual(shape["geometry"]["type"], "MultiPolygon")

    def test_a_second_edition_takes_over_and_a_staged_one_does_not(self):
        data = h.new_folder("editions")
        h.small_city(data)
        path = write(
            "one.geojson",
            json.dumps(
                {
                    "type": "FeatureCollection",
                    "features": [h.feature("only", 123.80, 42.28, 123.84, 42.32)],
                }
            ),
        )
        lon, lat = h.centre(0, 0)
        ask = ("locate", "--data", data, "--lon", lon, "--lat", lat, "--csv")
        out, _ = h.run("import", path, "--data", data, "--crs", "EPSG:4326", "--json")
        self.assertEqual((json.loads(out)["edition"], json.loads(out)["state"]), (2, "staged"))
        self.assertEqual(table(h.run(*ask)[0])[0]["code"], h.grid_code(0, 0))
        h.run("import", path, "--data", data, "--crs", "EPSG:4326", "--publish")
        self.assertEqual(table(h.run(*ask)[0])[0]["code"], "only")
        states = {
            r["number"]: r["state"]
            for r in table(h.run("grid", "editions", "--data", data, "--csv")[0])
        }
        self.assertEqual(states, {"1": "SUPERSEDED", "2": "STAGED", "3": "PUBLISHED"})

    def test_a_refused_import_leaves_everything_as_it_was(self):
        data = h.new_folder("refused")
        h.small_city(data)
        before = sorted(p.name for p in (pathlib.Path(data) / "editions").iterdir())
        bowtie = {
            "type": "Feature",
            "properties": {"code": "bow"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [123.80, 42.28],
                        [123.81, 42.29],
                        [123.81, 42.28],
                        [123.80, 42.29],
                        [123.80, 42.28],
                    ]
                ],
            },
        }
        path = write(
            "bow.geojson",
            json.dumps(
                {
                    "type": "FeatureCollection",
                    "features": [h.feature("fine", 123.9, 42.28, 123.91, 42.29), bowtie],
                }
            ),
        )
        _, err = h.run("import", path, "--data", data, "--crs", "EPSG:4326", "--publish", code=1)
        for words in ("bow.geojson", "feature 2", "bow", "123.805", "42.285", "nothing was stored"):
            self.assertIn(words, err)
        self.assertEqual(
            sorted(p.name for p in (pathlib.Path(data) / "editions").iterdir()), before
        )
        self.assertEqual(
            table(h.run("grid", "editions", "--data", data, "--csv")[0])[0]["number"], "1"
        )

    def test_the_crs_must_be_declared(self):
        path = write(
            "c.geojson",
            json.dumps(
                {
                    "type": "FeatureCollection",
                    "features": [h.feature("a", 123.9, 42.28, 123.91, 42.29)],
                }
            ),
        )
        _, err = h.run("import", path, "--data", h.new_folder("crs"), "--publish", code=1)
        self.assertIn("--crs", err)
        _, err = h.run("import", path, "--data", h.new_folder("crs"), "--crs", "EPSG:4550", code=1)
        self.assertIn("EPSG:4550", err)

    def test_nearest_of_files(self):
        workers = write("nw.csv", "id,lon,lat\nb,1,0\na,-1,0\nfar,0,50\n")
        points = write("nq.csv", "id,lon,lat\nq,0,0\n")
        out, _ = h.run("nearest", "--workers", workers, "--points", points, "-k", 2, "--csv")
        self.assertEqual(
            out, "query_id,rank,worker_id,distance_m\nq,1,a,111319.4908\nq,2,b,111319.4908\n"
        )

    def test_nearest_names_the_bad_row_and_answers_nothing(self):
        workers = write("nw2.csv", "id,lon,lat\na,1,0\n")
        for text, named in (("id,lon,lat\nq,0,0\nr,0,99\n", "row 3"), ("id,lon\nq,0\n", "lat")):
            points = write("nq2.csv", text)
            out, err = h.run(
                "nearest", "--workers", workers, "--points", points, "-k", 2, "--csv", code=1
            )
            self.assertEqual(out, "")
            self.assertIn(named, err)

    def test_no_folder_and_no_edition_say_what_to_do(self):
        _, err = h.run("locate", "--data", h.new_folder("none"), "--lon", 1, "--lat", 1, code=1)
        self.assertIn("gridwarden import", err)
        _, err = h.run("serve", "--data", h.new_folder("none"), code=1)
        self.assertIn("gridwarden import", err)

    def test_version(self):
        self.assertRegex(h.run("version")[0], r"^gridwarden \d+\.\d+\.\d+\n$")


class BesideANode(unittest.TestCase):
    def test_the_folder_is_refused_while_a_node_serves_it(self):
        data = h.new_folder("served")
        h.small_city(data)
        node = h.Node(data)
        try:
            for words in (
                ("locate", "--lon", 1, "--lat", 1),
                ("report", "--class", "01", "--address", "x"),
                ("verify",),
                ("import", write("i.geojson", "{}"), "--crs", "EPSG:4326"),
            ):
                _, err = h.run(*words, "--data", data, code=1)
                self.assertIn("in use by gridwarden serve on 127.0.0.1:", err)
                self.assertIn("--server", err)
            lon, lat = h.centre(1, 2)
            out, _ = h.run("locate", "--server", node.target, "--lon", lon, "--lat", lat, "--csv")
            self.assertEqual(table(out)[0]["code"], h.grid_code(1, 2))
            points = write("s.csv", f"lon,lat\n{lon},{lat}\n0,0\n")
            out, _ = h.run("locate", "--server", node.target, "--points", points, "--csv")
            self.assertEqual(out, f"id,code\n1,{h.grid_code(1, 2)}\n2,\n")
        finally:
            self.assertEqual(node.stop(), 0)

    def test_no_server_is_said_at_once(self):
        _, err = h.run(
            "locate", "--server", "127.0.0.1:1", "--lon", 1, "--lat", 1, "--timeout", 2, code=1
        )
        self.assertTrue(err.startswith("gridwarden: "))


SHARED = os.environ.get("GW_SHARED_DATA", "")


@unittest.skipUnless(
    SHARED and os.path.isdir(SHARED + "/fr"), "the shared data isn't here (GW_SHARED_DATA)"
)
class RealInput(unittest.TestCase):
    def test_french_communes_by_command_unary_and_batch(self):
        fr, data = pathlib.Path(SHARED) / "fr", h.new_folder("fr")
        h.run(
            "import",
            fr / "communes-59.geojson",
            fr / "communes-62.geojson",
            "--data",
            data,
            "--crs",
            "EPSG:4326",
            "--code-field",
            "code",
            "--name-field",
            "nom",
            "--publish",
        )
        expected = table((fr / "points-59-62.csv").read_text())
        rows = table(
            h.run("locate", "--data", data, "--points", fr / "points-59-62.csv", "--csv")[0]
        )
        self.assertEqual([r["code"] for r in rows], [e["code"] for e in expected])
        borders = table((fr / "boundary-points-59-62.csv").read_text())
        ask = ("locate", "--data", data, "--points", fr / "boundary-points-59-62.csv", "--csv")
        rows = table(h.run(*ask)[0])
        wrong = [
            (b, r["code"]) for b, r in zip(borders, rows) if r["code"] not in b["codes"].split()
        ]
        self.assertEqual(wrong, [])
        self.assertEqual(rows, table(h.run(*ask)[0]))
        node = h.Node(data)
        try:
            points = [(float(e["lon"]), float(e["lat"])) for e in expected + borders]
            codes = [e["code"] for e in expected] + [r["code"] for r in rows]
            packed = h.types.PackedPoints(
                longitudes_e7=[round(p[0] * 1e7) for p in points],
                latitudes_e7=[round(p[1] * 1e7) for p in points],
            )
            answer = node.client.LocateBatch(h.grid.LocateBatchRequest(points=packed))
            self.assertEqual([answer.codes[o - 1] if o else "" for o in answer.owners], codes)
            calls = [
                node.client.Locate.future(h.grid.LocateRequest(point=h.point(p))) for p in points
            ]
            self.assertEqual([c.result().grid.code for c in calls], codes)
        finally:
            self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    cases.main()
