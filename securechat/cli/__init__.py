"""The command line: `securechat gen-certs`, `serve`, `connect`, `schema`.

`app` holds the commands; one module each says what its options are, and imports what is heavy only
when it runs. The rest is the terminal's front end: `controller` between a person and the client,
`slash` for what they type, `render` for what they see, `line` and `pipe` for where.
"""

from __future__ import annotations


def main() -> None:
    """Run the command that `sys.argv` names, and exit with its code."""
    from .app import app

    app()
