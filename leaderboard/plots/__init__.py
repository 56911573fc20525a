"""A drawing as text that needs no script: SVG for a page, a picture for LaTeX, a strip of characters for Markdown."""
