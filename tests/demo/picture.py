"""What a terminal shows, as an SVG that needs nothing from elsewhere: no font, no script. Pure."""

from __future__ import annotations

import io

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_THEME = TerminalTheme(
    (30, 33, 39),
    (214, 218, 226),
    # black, red, green, yellow, blue, magenta, cyan, white
    [
        (60, 64, 72), (232, 103, 103), (126, 196, 120), (226, 192, 108),
        (110, 168, 240), (200, 140, 220), (104, 200, 210), (214, 218, 226),
    ],
    [
        (110, 116, 128), (245, 130, 130), (150, 220, 145), (240, 210, 130),
        (140, 190, 250), (220, 165, 240), (135, 220, 230), (240, 242, 246),
    ],
)  # fmt: skip
# Any of these has characters of one width, about six tenths of their height.
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
_ASPECT = 0.6
_TEMPLATE = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}">
<style>
.{{unique_id}}-matrix {{{{ font-family: {_FONTS}; font-size: {{char_height}}px; \
line-height: {{line_height}}px; }}}}
.{{unique_id}}-title {{{{ font-family: sans-serif; font-size: 16px; }}}}
{{styles}}
</style>
<defs>
<clipPath id="{{unique_id}}-clip-terminal">\
<rect x="0" y="0" width="{{terminal_width}}" height="{{terminal_height}}"/></clipPath>
{{lines}}
</defs>
{{chrome}}
<g transform="translate({{terminal_x}}, {{terminal_y}})" \
clip-path="url(#{{unique_id}}-clip-terminal)">
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</g>
</svg>
"""


def svg(name: str, text: str) -> str:
    """Return a drawing of text with a terminal's colours; the same text makes the same bytes."""
    found = Text.from_ansi(text.rstrip("\n"))
    width = max(line.cell_len for line in found.split("\n"))
    console = Console(
        record=True, width=width, file=io.StringIO(), highlight=False, legacy_windows=False,
        force_terminal=True, color_system="truecolor", _environ={},
    )  # fmt: skip
    console.print(found, soft_wrap=True)
    drawn = console.export_svg(
        title=f"orch {name}",
        theme=_THEME,
        code_format=_TEMPLATE,
        font_aspect_ratio=_ASPECT,
        unique_id=name,
    )
    return "".join(f"{line.rstrip()}\n" for line in drawn.splitlines() if line.strip())
