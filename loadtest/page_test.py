"""The page in a real browser: its script draws every plot, nothing of a text becomes markup."""

import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path[:0] = ["tests/run"]
import cases  # noqa: E402

TMP = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp(prefix="gridwarden-page-"))
BROWSER = shutil.which("chromium")


def open_in_browser(path):
    """The document after its scripts have run, and what they wrote to the console."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--user-data-dir={TMP / 'profile'}", "--dump-dom", path.as_uri()]
    environment = {**os.environ, "HOME": str(TMP)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        path = TMP / "page.html"
        path.write_bytes(subprocess.run(["loadtest/testing_page"], stdout=subprocess.PIPE).stdout)
        cls.document, cls.console = open_in_browser(path)
        # What is shown: the scripts and the style apart.
        cls.body = re.sub(r"<(script|style)[ >].*?</\1>", "", cls.document, flags=re.S)

    def figures(self, title):
        return [f for f in re.findall(r"<figure>.*?</figure>", self.body, re.S) if title in f]

    def test_the_script_runs_without_a_complaint(self):
        self.assertEqual(self.console, [])

    def test_every_plot_is_drawn(self):
        for title, count in (
            ("All work", 1),
            ("from the real send", 1),
            ("latency 延迟", 2),
            ("calls a second 每秒请求", 2),
            ("Lateness 迟发", 1),
            ("calls answered a second", 1),
        ):
            figures = self.figures(title)
            self.assertEqual(len(figures), count, title)
            for figure in figures:
                path = re.search(r'<path class="series[^"]*"[^>]* d="(M[^"]+)"', figure)
                self.assertIsNotNone(path, title)
                self.assertGreater(path[1].count("L"), 0, title)
        self.assertNotIn("NaN", self.body)
        self.assertNotIn("Infinity", self.body)
        self.assertNotIn("undefined", self.body)

    def test_a_refused_rate_is_a_cross_without_a_latency(self):
        (sweep,) = self.figures("calls answered a second")
        self.assertEqual(sweep.count('class="cross"'), 2)
        self.assertIn("400/s refused", sweep)
        self.assertEqual(sweep.count("<circle"), 4 * 2)  # four percentiles of the two other rates
        self.assertIn("351 of 400 calls a second left", self.body)
        (row,) = [r for r in re.findall(r"<tr>.*?</tr>", self.body, re.S) if "not offered" in r]
        self.assertEqual(row.count("<td>–</td>"), 6)

    def test_loops_are_labelled_in_two_languages(self):
        self.assertEqual(self.body.count('<span class="loop open">OPEN</span>'), 3)
        self.assertEqual(self.body.count('<span class="loop closed">CLOSED</span>'), 3)
        for word in ("Open loop", "开环", "Closed loop", "闭环", "Latency by percentile", "分位延迟"):
            self.assertIn(word, self.body)

    def test_texts_stay_texts(self):
        self.assertIn("<title>sample · gridwarden-load</title>", self.document)
        text = "</script><script>document.title='broken out'</script> & \"quoted\" \\ 网格"
        self.assertIn(html.escape(text, quote=False), self.body)

    def test_numbers_that_doubles_lose_are_shown_whole(self):
        self.assertIn("<dd>18446744073709551615</dd>", self.body)


if __name__ == "__main__":
    cases.main()
