# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG inside a page: lines over one or two linear or logarithmic axes, and bars. Needs nothing else."""
import math
from html import escape

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 220, 16, 44  # the legend is on the right
COLORS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#2a9d8f", "#6c757d", "#d81b60", "#5d4037", "#000000")


def _ticks(low, high, logarithmic):
    if logarithmic:
        return [10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) if low <= 10.0**e <= high]
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 6)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


class _Axis:
    def __init__(self, values, begin, end, logarithmic=False, from_zero=False):
        self.logarithmic = logarithmic and min(values) > 0
        low, high = min(values), max(values)
        if from_zero and not self.logarithmic:
            low = min(low, 0)
        if low == high:
            low, high = (low / 2, high * 2) if self.logarithmic else (low - 0.5, high + 0.5)
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def at(self, value):
        scale = math.log10 if self.logarithmic else float
        part = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return self.begin + part * (self.end - self.begin)

    def ticks(self):
        return _ticks(self.low, self.high, self.logarithmic)


def _open(title, height=HEIGHT):
    return [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">']


def lines(title, series, x_unit, y_unit, logarithmic_x=False):
    """`series`: (name, x values, y values) each. Points that are not finite are left out."""
    kept = []
    for name, xs, ys in series:
        points = [(x, y) for x, y in zip(xs, ys) if math.isfinite(x) and math.isfinite(y) and (x > 0 or not logarithmic_x)]
        if points:
            kept.append((name, points))
    if not kept:
        return ""
    x_axis = _Axis([x for _, points in kept for x, _ in points], LEFT, WIDTH - RIGHT, logarithmic_x)
    y_axis = _Axis([y for _, points in kept for _, y in points], HEIGHT - BOTTOM, TOP, from_zero=True)
    out = _open(title)
    for tick in y_axis.ticks():
        y = y_axis.at(tick)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.4g}</text>')
    for tick in x_axis.ticks():
        x = x_axis.at(tick)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
                   f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{tick:.4g}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_unit)}</text>')
    out.append(f'<text transform="translate(14 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y_unit)}</text>')
    for number, (name, points) in enumerate(kept):
        color = COLORS[number % len(COLORS)]
        at = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in points)
        out.append(f'<polyline points="{at}" fill="none" stroke="{color}" stroke-width="2"/>')
        if len(points) < 30:
            out += [f'<circle cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="3" fill="{color}"/>' for x, y in points]
        y = TOP + 14 + 18 * number
        out.append(f'<rect x="{WIDTH - RIGHT + 12}" y="{y - 9}" width="12" height="10" fill="{color}"/>'
                   f'<text x="{WIDTH - RIGHT + 30}" y="{y}">{escape(name)}</text>')
    return "".join([*out, "</svg>"])


def bars(title, values, unit):
    """`values`: (name, value, least, most) each; the range is drawn as a line over the bar."""
    if not values:
        return ""
    height = 24 * len(values) + 40
    axis = _Axis([0, *(most for _, _, _, most in values)], 200, WIDTH - 80)
    out = _open(title, height)
    for number, (name, value, least, most) in enumerate(values):
        y = 10 + 24 * number
        out.append(f'<text x="192" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
                   f'<rect x="{axis.at(0):.1f}" y="{y}" width="{axis.at(value) - axis.at(0):.1f}" height="16" '
                   f'fill="{COLORS[0]}"/><line x1="{axis.at(least):.1f}" x2="{axis.at(most):.1f}" y1="{y + 8}" '
                   f'y2="{y + 8}" class="range"/><text x="{axis.at(most) + 6:.1f}" y="{y + 13}">{value:.4g}</text>')
    out.append(f'<text x="200" y="{height - 8}">{escape(unit)}</text></svg>')
    return "".join(out)
