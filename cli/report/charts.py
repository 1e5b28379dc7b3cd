"""Charts as SVG, which a page can contain: without scripts, fonts or addresses of others."""

from collections.abc import Sequence

import pygal
from pygal.etree import etree
from pygal.style import Style

from cli.report.figures import Sales

_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    font_family="system-ui, sans-serif",
    colors=("#2f6f4f", "#b4542d"),
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=12,
)
_MANY = 16
"""Days from which only some are named."""


def by_day(days: Sequence[Sales], currency: str) -> str:
    """Return a chart of what was sold and refunded on each day."""
    chart = pygal.StackedBar(**_options(), x_label_rotation=45, show_minor_x_labels=False, height=320)
    chart.title = f"Net sales and refunds by day, {currency}"
    chart.x_labels = [day.name for day in days]
    chart.x_labels_major = [day.name for day in days[:: 1 + len(days) // _MANY]]
    chart.add("net", [float(day.amounts["net"]) for day in days])
    chart.add("refunds", [-float(day.amounts["refunds"]) for day in days])
    return _svg(chart)


def by_item(items: Sequence[Sales], currency: str) -> str:
    """Return a chart of the net sales of items, the best first."""
    chart = pygal.HorizontalBar(**_options(), show_legend=False, height=60 + 32 * max(1, len(items)))
    chart.title = f"Top items by net sales, {currency}"
    chart.x_labels = [item.name for item in reversed(items)]
    chart.add("net", [float(item.amounts["net"]) for item in reversed(items)])
    return _svg(chart)


def _options() -> dict[str, object]:
    return {
        "style": _STYLE,
        "js": (),
        "disable_xml_declaration": True,
        "width": 900,
        "no_prefix": True,
        "legend_at_bottom": True,
        "show_y_guides": True,
        "value_formatter": lambda value: f"{value:,.0f}",
    }


def _svg(chart: "pygal.graph.graph.Graph") -> str:
    """Return a chart without the comments that pygal puts in, and its script, which is for tooltips."""
    tree = chart.render_tree()
    for parent in [*tree.iter()]:
        for child in [*parent]:
            if not isinstance(child.tag, str) or child.tag.endswith("script"):
                parent.remove(child)
    return str(etree.tostring(tree, encoding="unicode"))
