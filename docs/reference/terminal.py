#!/usr/bin/env python3
"""Draws README's picture of a terminal: runs beamlua against a local Beam of its own, each command in a terminal, and writes what the terminal
shows as SVG. `make pictures`.   usage: terminal.py FILE.svg"""
import html
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

import pyte  # the terminal: python3-pyte

COLUMNS, FONT, LINE, MARGIN, WIDTH = 100, 13, 18, 16, 7.83  # characters; pixels
COMMANDS = [
    ("beamlua call multiply x:=12", ""),
    ("beamlua map multiply <inputs.jsonl --concurrency 8 >results.jsonl", ""),
    ("beamlua realtime echo", '{"word": "hello"}\n/ping\n'),
    ("beamlua call train_modle", ""),
]
# The sixteen colours as names of pyte's; what is bold and has none is bright.
PALETTE = {"default": "#d8dee9", "black": "#8491ab", "red": "#ef8089", "green": "#a3d48a", "brown": "#ebcb8b", "blue": "#88b4e8",
           "magenta": "#c9a3d8", "cyan": "#8fd0d8", "white": "#eceff4"}


def start_beam(folder):
    """The local Beam, and the variables that lead to it."""
    beam = subprocess.Popen(["build/beamlua", "serve", "--port", "0", "--token", "picture", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True)
    url = re.search(r"http://[^ ]+", beam.stdout.readline()).group()
    environment = dict(os.environ, BEAM_GATEWAY_URL=url, BEAM_TOKEN="picture", TERM="xterm-256color", PATH=os.path.abspath("build") + ":" + os.environ["PATH"])
    environment.pop("NO_COLOR", None)
    with open(os.path.join(folder, "inputs.jsonl"), "w") as inputs:
        inputs.writelines('{"x": %d}\n' % x for x in range(2000))
    return beam, environment


def run_in_terminal(command, typed, folder, environment, screen):
    """Runs a command on a terminal of its own; what it writes goes to the screen. `typed` is entered line by line, then the end of input."""
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe("sh", ["sh", "-c", "stty cols %d rows 60; exec %s" % (COLUMNS, command)], environment)
    waiting, last = typed.splitlines(True), time.monotonic()
    if typed:
        waiting.append("\x04")
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break  # the command has ended
            if not piece:
                break
            stream.feed(piece)
            last = time.monotonic()
        elif waiting and time.monotonic() - last > 0.4:
            os.write(terminal, waiting.pop(0).encode())
            last = time.monotonic()
    os.waitpid(child, 0)


def lines_of(screen):
    rows = [[screen.buffer[y][x] for x in range(COLUMNS)] for y in range(screen.lines)]
    while rows and not "".join(cell.data for cell in rows[-1]).strip():
        rows.pop()
    return rows


def colour_of(cell):
    name = cell.fg if cell.fg in PALETTE else "#" + cell.fg if re.fullmatch("[0-9a-f]{6}", cell.fg) else "default"
    return PALETTE.get(name, name)


def draw_line(row, y):
    """The runs of one look as spans; blanks at the end are left out."""
    spans, text = [], ""
    look = None
    for cell in row:
        now = (colour_of(cell), cell.bold)
        if now != look and text:
            spans.append((look, text))
            text = ""
        look, text = now, text + cell.data
    spans.append((look, text.rstrip()))
    drawn = "".join('<tspan fill="%s"%s>%s</tspan>' % (look[0], ' font-weight="bold"' if look[1] else "", html.escape(text)) for look, text in spans if text)
    return '<text x="%d" y="%d" xml:space="preserve">%s</text>' % (MARGIN, y, drawn)


def prompt_line(command):
    return ('<text x="%%d" y="%%d" xml:space="preserve"><tspan fill="%s">$ </tspan><tspan fill="#ffffff" font-weight="bold">%s</tspan></text>'
            % (PALETTE["green"], html.escape(command).replace("%", "%%")))


def main(path):
    drawn, y = [], MARGIN + FONT
    with tempfile.TemporaryDirectory() as folder:
        beam, environment = start_beam(folder)
        try:
            for command, typed in COMMANDS:
                screen = pyte.Screen(COLUMNS, 60)
                run_in_terminal(command, typed, folder, environment, screen)
                drawn.append(prompt_line(command) % (MARGIN, y))
                for row in lines_of(screen):
                    y += LINE
                    drawn.append(draw_line(row, y))
                y += LINE + LINE // 2
        finally:
            beam.terminate()
            beam.wait()
    width, height = int(COLUMNS * WIDTH + 2 * MARGIN), y - LINE + MARGIN // 2
    with open(path, "w") as svg:
        svg.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="beamlua in a terminal">\n'
                  % (width, height, width, height))
        svg.write('<rect width="100%%" height="100%%" rx="8" fill="#232831"/>\n<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="%d">\n' % FONT)
        svg.write("\n".join(drawn) + "\n</g>\n</svg>\n")


main(sys.argv[1])
