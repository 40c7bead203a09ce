"""sslyze finds a server of ours compliant with Mozilla's "modern" profile, and one that is not.

sslyze wants another version of `cryptography` than we do, so it lives in an environment of its own:
`make .venv-sslyze` makes it, `make gauntlet` does so by itself, and SSLYZE may name another one.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gauntlet import scale

from .siege import ROOT, Machine

pytestmark = pytest.mark.slow


def find_sslyze() -> str | None:
    """The program, if it is on this machine."""
    named = os.environ.get("SSLYZE") or str(ROOT / ".venv-sslyze" / "bin" / "sslyze")
    return shutil.which(named) or shutil.which("sslyze")


def judge(port: int, ca: Path) -> str:
    """The verdict of sslyze, in one line."""
    program = find_sslyze()
    if program is None:
        pytest.skip("sslyze is not installed: `make .venv-sslyze`")
    done = subprocess.run(
        [
            *(program, "--mozilla_config=modern", f"--certinfo_ca_file={ca}"),
            *("--sni", "localhost", f"127.0.0.1:{port}"),
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    verdict = done.stdout.partition("COMPLIANCE AGAINST")[2].partition(f":{port}: ")[2]
    return " ".join(verdict.split()) or done.stdout + done.stderr


@contextmanager
def lax_server(certs: Path) -> Iterator[int]:
    """A server as Python makes it, with TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "cert.pem", certs / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.settimeout(5.0)
            try:
                with context.wrap_socket(raw, server_side=True) as sock:
                    sock.recv(1024)
            except OSError:
                raw.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_server_of_ours_is_compliant(
    machine: Machine, record_property: scale.RecordProperty
) -> None:
    verdict = judge(machine.serve().port, machine.certs / "ca.pem")
    scale.tell(record_property, f"sslyze --mozilla_config=modern: {verdict[:80]}")
    assert verdict.startswith("OK - Compliant."), verdict


def test_one_that_is_not_is_found_out(certs_folder: Path) -> None:
    """The negative control."""
    with lax_server(certs_folder) as port:
        verdict = judge(port, certs_folder / "ca.pem")
    assert "Not compliant" in verdict, verdict
    assert "tls_versions" in verdict, verdict


TESTSSL = shutil.which("testssl") or shutil.which("testssl.sh")
#: What an own authority cannot have, and what this program cannot know of a chat.
ACCEPTED = ("chain_of_trust", "cert_trust", "cert_revocation", "DNS_CAArecord", "OCSP", "CAA")


@pytest.mark.skipif(not scale.GAUNTLET, reason="takes minutes: in the gauntlet")
@pytest.mark.skipif(TESTSSL is None, reason="testssl.sh is not installed")
def test_testssl_finds_nothing_above_info(machine: Machine, tmp_path: Path) -> None:
    server = machine.serve()
    out = tmp_path / "testssl.csv"
    subprocess.run(
        [
            *(str(TESTSSL), "--quiet", "--color", "0", "--warnings", "off", "--csvfile", str(out)),
            f"127.0.0.1:{server.port}",
        ],
        capture_output=True,
        timeout=1_200,
        check=False,
    )
    rows = [line.split('","') for line in out.read_text().splitlines()[1:]]
    bad = [
        row
        for row in rows
        if row[3] in ("LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN")
        and not any(name in row[0] for name in ACCEPTED)
    ]
    assert rows
    assert not bad, bad
