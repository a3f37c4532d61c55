"""Line charts as SVG, written by hand: a browser shows them, and nothing needs to be installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 42, 54
COLOURS = ["#1f6feb", "#d1480f", "#2a8f4e", "#8250df", "#9a6700", "#57606a"]


@dataclass
class Chart:
    """What is drawn: named series of points."""

    name: str  # of the file
    title: str
    x_label: str
    y_label: str
    series: dict[str, list[tuple[float, float]]]
    is_logarithmic: bool = True
    levels: dict[str, float] = field(default_factory=dict)  # horizontal lines

    def write(self, directory: Path) -> Path:
        path = directory / f"{self.name}.svg"
        path.write_text(self.svg())
        return path

    def svg(self) -> str:
        xs = [x for points in self.series.values() for x, _ in points]
        ys = [y for points in self.series.values() for _, y in points] + list(self.levels.values())
        x_axis = Axis.over(xs, LEFT, WIDTH - RIGHT, self.is_logarithmic)
        y_axis = Axis.over([0.0, *ys], HEIGHT - BOTTOM, TOP, False)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            'font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            text(LEFT, 24, self.title, size=15),
            *self.grid(x_axis, y_axis),
        ]
        for number, (name, level) in enumerate(self.levels.items()):
            y = y_axis.place(level)
            parts.append(line(LEFT, y, WIDTH - RIGHT, y, "#cf222e", dash="6 4"))
            parts.append(text(WIDTH - RIGHT + 6, y + 4, name, colour="#cf222e"))
        for number, (name, points) in enumerate(self.series.items()):
            colour = COLOURS[number % len(COLOURS)]
            path = " ".join(f"{x_axis.place(x):.1f},{y_axis.place(y):.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
            if len(points) <= 12:
                parts += [
                    f'<circle cx="{x_axis.place(x):.1f}" cy="{y_axis.place(y):.1f}" r="3" fill="{colour}"/>'
                    for x, y in points
                ]
            parts.append(text(WIDTH - RIGHT + 6, TOP + 16 * (number + 1) - 4, name, colour=colour))
        return "\n".join([*parts, "</svg>"]) + "\n"

    def grid(self, x_axis: Axis, y_axis: Axis) -> list[str]:
        parts = []
        for value in x_axis.ticks():
            x = x_axis.place(value)
            parts.append(line(x, TOP, x, HEIGHT - BOTTOM, "#e4e7eb"))
            parts.append(text(x, HEIGHT - BOTTOM + 18, number_text(value), anchor="middle"))
        for value in y_axis.ticks():
            y = y_axis.place(value)
            parts.append(line(LEFT, y, WIDTH - RIGHT, y, "#e4e7eb"))
            parts.append(text(LEFT - 8, y + 4, number_text(value), anchor="end"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(text(middle, HEIGHT - 14, self.x_label, anchor="middle"))
        parts.append(
            f'<text transform="translate(18 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_label)}</text>"
        )
        return parts


@dataclass
class Axis:
    """From values to places on the page."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool

    @staticmethod
    def over(values: list[float], start: float, end: float, is_logarithmic: bool) -> Axis:
        low, high = min(values, default=0), max(values, default=1)
        if is_logarithmic:
            low = max(low, 1e-9)
            return Axis(low, max(high, low * 10), start, end, True)
        return Axis(low, high * 1.06 if high > low else low + 1, start, end, False)

    @property
    def scale(self) -> Callable[[float], float]:
        return math.log10 if self.is_logarithmic else lambda value: value

    def place(self, value: float) -> float:
        low, high = self.scale(self.low), self.scale(self.high)
        share = (self.scale(max(value, self.low)) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.is_logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        for factor in (5, 2, 1):
            if (self.high - self.low) / (step * factor) >= 4:
                step *= factor
                break
        first = math.ceil(self.low / step)
        return [step * number for number in range(first, math.floor(self.high / step) + 1)]


def number_text(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    if value >= 10_000:
        return f"{value / 1_000:g} k"
    return f"{value:g}"


def line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{style}/>'


def text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = "#24292f", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">'
        f"{escape(words)}</text>"
    )
