"""Pages as one HTML file: they work offline, make no request and hold no prompt, answer or justification.

Everything from data is escaped, and a content security policy in the file forbids every request besides. `site` puts
the board's pages together, a module each; `sheet` keeps their figures and their room, `shell` is the file around them.
"""

from leaderboard.static.comparison import comparison_html
from leaderboard.static.shell import page
from leaderboard.static.site import board_html

__all__ = ["board_html", "comparison_html", "page"]
