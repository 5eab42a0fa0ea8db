"""Whose the instructions of a call are: libcurl's, the system's C library's, ours."""
import collections
import os
import re
import subprocess
import tempfile

# By the name of what they stand in; no file: code that LuaJIT has compiled, and the clock.
PARTS = {"libcurl": "libcurl", "HTTP/2": "libnghttp2", "OpenSSL": "lib(ssl|crypto)", "libc": "lib(c|m)[.]|ld-linux", "libuv": "libuv",
         "Lua": "(lib)?lua", "no file": "[?]", "ours": "core[.]so|http_bench", "reference": "http_reference"}
LIMIT = 300  # seconds


def part_of(file):
    return next((part for part, pattern in PARTS.items() if re.match(pattern, file)), "others")


def by_part(lines):
    """What callgrind wrote, as part -> instructions. A line after calls= is what was called, which has lines of its own."""
    counts, names, part, called = collections.Counter(), {}, None, False
    for line in lines:
        named = re.match(r"c?ob=\((\d+)\)(?: (.*))?", line)
        if named:
            names.setdefault(named.group(1), part_of(os.path.basename((named.group(2) or "").strip())))
            part = names[named.group(1)] if line.startswith("ob=") else part
        elif line.startswith("calls="):
            called = True
        elif re.match(r"[\d+*-]", line):
            counts[part] += 0 if called else int(line.split()[1])
            called = False
    return counts


def count(words, environment, folder):
    """Part -> instructions of a program."""
    with tempfile.NamedTemporaryFile("r", prefix="beam-bench-") as out:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out.name] + words
        subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True, timeout=LIMIT)
        with open(out.name) as lines:
            return by_part(lines)


def told(less, more, times):
    """The difference of two counts, for each of so many things."""
    each = {part: (more[part] - less[part]) / times for part in [*PARTS, "others"]}
    return ", ".join(f"{part} {value:.0f}" for part, value in each.items() if value >= 1)
