"""Puts the page's style and script into it and writes the whole as C, cut where the data go.

usage: embed.py page.html page.css page.js > page.c
"""

import pathlib
import sys

MARKS = ("/* page.css */", "/* page.js */", "/* result.json */")


def array(name, data):
    lines = [
        "    " + " ".join(f"{byte}," for byte in data[at : at + 24])
        for at in range(0, len(data), 24)
    ]
    body = "\n".join(lines)
    return (
        f"const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const size_t {name}_bytes = sizeof({name});\n"
    )


def main(page, style, *scripts):
    text = pathlib.Path(page).read_text(encoding="utf-8")
    for mark in MARKS:
        assert text.count(mark) == 1, f"{page}: {mark} must be there once"
    css = pathlib.Path(style).read_text(encoding="utf-8")
    js = "".join(pathlib.Path(path).read_text(encoding="utf-8") for path in scripts)
    assert "</" not in css and "</script" not in js.lower() and "<!--" not in js, "would end early"
    text = text.replace(MARKS[0], css).replace(MARKS[1], js)
    head, tail = text.split(MARKS[2])
    print('#include "loadtest/page.h"\n')
    print(array("load_page_head", head.encode()))
    print(array("load_page_tail", tail.encode()), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
