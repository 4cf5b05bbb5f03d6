# SPDX-License-Identifier: GPL-2.0-or-later
"""The table: what was measured, ours and the yardstick side by side, the ratio, the aim."""
import dataclasses
import statistics
import typing

HEAD = ("what", "ours", "yardstick", "ratio", "aim", "")


@dataclasses.dataclass
class Row:
    what: str
    ours: typing.Sequence[float]  # one value a repetition
    base: typing.Sequence[float]
    form: str = "%.3f"  # of one value
    unit: str = ""
    aim: typing.Optional[float] = None  # the ratio must not be above it
    where: str = "here"  # or "vm"

    @property
    def ratio(self):
        base = statistics.median(self.base)
        return statistics.median(self.ours) / base if base else float("nan")

    @property
    def verdict(self):
        if self.aim is None:
            return ""
        return "met" if self.ratio <= self.aim else "MISSED"

    def text(self, values):
        """The median, and from where to where the repetitions went."""
        middle = self.form % statistics.median(values)
        if len(values) > 1:
            middle += " (%s-%s)" % (self.form % min(values), self.form % max(values))
        return middle + (" " + self.unit if self.unit else "")

    def cells(self):
        return (self.what + ("" if self.where == "here" else " [vm]"), self.text(self.ours),
                self.text(self.base), "%.2f" % self.ratio,
                "" if self.aim is None else "<= %.2f" % self.aim, self.verdict)

    def plain(self):
        return dict(dataclasses.asdict(self), ratio=self.ratio)


def render(rows):
    """Lines of a table that reads as plain text and as Markdown."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEAD))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |"
             for line in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return lines
