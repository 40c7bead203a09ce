#!/usr/bin/env python3
"""Make or renew a server's certificates: `securechat gen-certs` for a clone not yet installed.

All the work is done in securechat/certs/. Exits 0, 1 when refused (one line says why), 2 for
wrong usage.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

if importlib.util.find_spec("securechat") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

try:
    from cryptography import __version__ as installed

    from securechat import certs
    from securechat.errors import CertificateError
except ModuleNotFoundError as error:
    sys.exit(f"gen_certs: the package {error.name} is missing: run `make setup` or `pip install .`")
if int(installed.partition(".")[0]) < 42:  # where its dates got their time zone
    sys.exit(f"gen_certs: cryptography {installed} is too old: run `make setup` or `pip install .`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the certificates of a securechat server.")
    parser.add_argument(
        "--out", type=Path, default=certs.DEFAULT_DIRECTORY, metavar="DIR", help="default: certs"
    )
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        help="a further name or address that clients connect to; may be repeated",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--force", action="store_true", help="replace the set that is there")
    mode.add_argument(
        "--renew", action="store_true", help="a new cert.pem from the same CA, key and hosts"
    )
    options = parser.parse_args(arguments)
    if options.renew and options.host:
        parser.error("--renew keeps the hosts as they are; use --force --host for others")
    now = datetime.now(UTC)
    try:
        if options.renew:
            made = certs.renew(options.out, now=now)
        else:
            made = certs.make(options.out, options.host, force=options.force, now=now)
    except CertificateError as error:
        print(f"gen_certs: {error}", file=sys.stderr)
        return 1
    print(certs.describe(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
