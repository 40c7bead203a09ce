"""A look at the way to a server, stage by stage: what `securechat doctor` finds on it.

In come an address, what the user says about trust and the known servers; out come `Finding`s as
they are found. A stage that fails leaves those behind it `skipped`. Nothing is raised for what a
network, a certificate or a server can be. Until the key has passed, nothing of ours is sent; then a
guest with a name of its own says hello, asks for the time, and leaves.
"""

from __future__ import annotations

import secrets
import shlex
import socket
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from queue import Empty
from typing import TYPE_CHECKING, Any, Final

from ..errors import NotTrusted, Refused, UnknownSigner
from ..findings import Finding, fail, ok, skipped, warn
from ..protocol.envelopes import ALPN, ServerPong, TimeIs, Welcome
from .client import ChatClient, ClientConfig
from .events import Ended, Heard, Online
from .known_file import KnownFile
from .known_servers import Known, Server
from .trust import SYSTEM, ByAuthority, ByKey, Trust, explain_distrust, guard_of
from .trust_policy import Basis, Wishes, decide

if TYPE_CHECKING:
    from ..certs.x509 import Certificate

TIMEOUT: Final = 5.0
"""Seconds for each stage."""

_PINGS: Final = 5
_SLOW: Final = 0.5
_SKEW: Final = 5.0
_SOON: Final = 14


class _Stop(Exception):
    """The stages behind this one cannot be reached."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding


def examine(
    host: str,
    port: int,
    wishes: Wishes,
    file: KnownFile,
    *,
    nick: str | None = None,
    timeout: float = TIMEOUT,
) -> Iterator[Finding]:
    """All stages, in order; `nick`: the one of our certificate, where we show one."""
    nick = nick or f"doctor-{secrets.token_hex(4)}"
    visit = _Visit(host, port, wishes, file, nick, timeout)
    reached = True
    try:
        for topic, stage in visit.stages():
            if not reached:
                yield skipped(topic)
                continue
            try:
                yield stage()
            except _Stop as stop:
                reached = False
                yield stop.finding
    finally:
        visit.close()


class _Visit:
    """What one stage leaves to the next."""

    def __init__(
        self,
        host: str,
        port: int,
        wishes: Wishes,
        file: KnownFile,
        nick: str,
        timeout: float,
    ) -> None:
        self._host = host
        self._port = port
        self._server = Server.at(host, port)
        self._wishes = wishes
        self._file = file
        self._nick = nick
        self._timeout = timeout
        self._addresses: list[Any] = []
        self._sock: socket.socket | None = None
        self._der = b""
        self._certificate: Certificate | None = None
        self._trust: Trust = SYSTEM
        self._client: ChatClient | None = None
        self._welcome: Welcome | None = None

    def stages(self) -> list[tuple[str, Callable[[], Finding]]]:
        """What is looked at, in order."""
        return [
            ("name", self._resolve),
            ("tcp", self._connect),
            ("tls", self._shake_hands),
            ("certificate", self._judge_certificate),
            ("key", self._judge_key),
            ("protocol", self._greet),
            ("clock", self._compare_clocks),
            ("round trip", self._ping),
            ("limits", self._tell_limits),
        ]

    def close(self) -> None:
        """Leave nothing open."""
        if self._sock is not None:
            self._sock.close()
        if self._client is not None:
            self._client.close(timeout=1.0)

    # -------------------------------------------------------------- the network

    def _resolve(self) -> Finding:
        began = time.monotonic()
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = str(getattr(error, "strerror", None) or error)
            quoted = shlex.quote(self._host)
            raise _Stop(
                fail("name", f"{self._host} has no address: {why}", f"getent hosts {quoted}")
            ) from None
        self._addresses = found
        names = ", ".join(dict.fromkeys(str(one[4][0]) for one in found))
        return ok("name", f"{self._host} is {names} ({_ms(time.monotonic() - began)})")

    def _connect(self) -> Finding:
        failure: OSError = OSError("no address")
        for family, kind, proto, _, address in self._addresses:
            sock = socket.socket(family, kind, proto)
            sock.settimeout(self._timeout)
            began = time.monotonic()
            try:
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
                continue
            self._sock = sock
            took = _ms(time.monotonic() - began)
            return ok("tcp", f"{address[0]} port {self._port} accepts ({took})")
        if isinstance(failure, ConnectionRefusedError):
            why, cure = "nothing listens there", self._serve()
        elif isinstance(failure, TimeoutError):
            why = f"no answer within {self._timeout:g} s: a firewall, or the machine is off"
            cure = shlex.join(["ping", self._host])
        else:
            why, cure = (failure.strerror or str(failure)).lower(), ""
        raise _Stop(fail("tcp", f"{self._server}: {why}", cure))

    def _serve(self) -> str:
        port = [] if self._server.typed == self._server.host else ["--port", str(self._port)]
        return shlex.join(["securechat", "serve", *port])

    def _shake_hands(self) -> Finding:
        assert self._sock is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # judged below; nothing is sent on this connection
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # to say what it is, if it is too old
        context.set_alpn_protocols([ALPN])
        began = time.monotonic()
        try:
            tls = context.wrap_socket(self._sock, server_hostname=self._host)
        except TimeoutError:
            why = f"no answer within {self._timeout:g} s: the server hangs, or is no TLS server"
            raise _Stop(fail("tls", why)) from None
        except (OSError, ValueError) as error:
            self._sock = None  # it is closed
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
            words = str(reason or error).lower().replace("_", " ")
            why = f"what listens there does not speak TLS (plain HTTP, perhaps): {words}"
            elsewhere = shlex.join(["securechat", "doctor", f"{self._host}:PORT"])
            raise _Stop(fail("tls", why, elsewhere)) from None
        self._sock = tls
        alpn = tls.selected_alpn_protocol()
        version = (tls.version() or "?").replace("TLSv", "TLS ")
        if version != "TLS 1.3":
            raise _Stop(fail("tls", f"{version}, and securechat needs TLS 1.3"))
        self._der = tls.getpeercert(binary_form=True) or b""
        cipher = tls.cipher()
        took = _ms(time.monotonic() - began)
        tls.close()  # all is seen; what follows makes connections of its own
        text = f"{version}, {cipher[0] if cipher else '?'} ({took})"
        if alpn != ALPN:
            return warn("tls", f"{text}; it does not name {ALPN}: another server, or a proxy?")
        return ok("tls", text)

    # -------------------------------------------------------------- the certificate

    def _judge_certificate(self) -> Finding:
        from ..certs import x509

        try:
            self._certificate = leaf = x509.load_der(self._der)
            hosts = x509.hosts_of(leaf)
        except x509.UNREADABLE:
            raise _Stop(fail("certificate", "it cannot be read: no client will take it")) from None
        left = (leaf.not_valid_after_utc - datetime.now(UTC)).days
        dates = f"valid until {leaf.not_valid_after_utc.date()} ({left} days)"
        names = f"for {', '.join(hosts) or 'no name'}"
        renew = "securechat gen-certs --renew"
        if leaf.not_valid_before_utc > datetime.now(UTC):
            return warn("certificate", f"not valid before {leaf.not_valid_before_utc}", "date")
        if left < 0:
            return warn("certificate", f"it ended on {leaf.not_valid_after_utc.date()}", renew)
        if not _covers(hosts, self._host):
            remake = shlex.join(["securechat", "gen-certs", "--force", "--host", self._host])
            text = f"{names}, not for {self._host}; only a known key makes up for that"
            return warn("certificate", text, remake)
        if left < _SOON:
            return warn("certificate", f"{dates}, {names}", renew)
        return ok("certificate", f"{dates}, {names}")

    def _judge_key(self) -> Finding:
        from ..certs import x509

        assert self._certificate is not None
        shown = x509.key_fingerprint(self._certificate)
        try:
            known = self._file.load().find(self._server)
            basis = decide(self._server, self._wishes, known)
        except NotTrusted as error:
            raise _Stop(fail("key", str(error))) from None
        match basis:
            case Basis.PIN:
                assert isinstance(known, Known)
                return self._compare(shown, known.key, f"the one known since {known.since}")
            case Basis.FINGERPRINT:
                assert self._wishes.fingerprint is not None
                return self._compare(shown, self._wishes.fingerprint, "the one you named")
            case Basis.CA_FILE:
                authority = ByAuthority(self._wishes.ca_file)
                return self._verify(authority, f"signed by {self._wishes.ca_file}")
            case Basis.AUTHORITIES:
                return self._verify(SYSTEM, "signed by an authority of this machine's")
            case Basis.PUBLIC_NAME:
                try:
                    return self._verify(SYSTEM, "signed by an authority of this machine's")
                except _Stop as stop:
                    if not isinstance(stop.__cause__, UnknownSigner):
                        raise
                    return self._unknown(shown)
            case Basis.FIRST_USE:
                return self._unknown(shown)

    def _compare(self, shown: str, expected: str, which: str) -> Finding:
        if shown == expected:
            self._trust = ByKey(shown)
            return ok("key", f"{shown}, {which}")
        raise _Stop(
            fail(
                "key",
                f"it is {shown}, NOT {which}, {expected}: somebody may be in between. Ask who runs"
                " the server, and only if the new one is right accept it",
                shlex.join(["securechat", "trust", "replace", self._server.typed, shown]),
            )
        )

    def _unknown(self, shown: str) -> Finding:
        self._trust = ByKey(shown)
        return warn(
            "key",
            f"{shown}, not known yet: compare it with what `securechat serve` printed there",
            self._connect_by_key(shown),
        )

    def _connect_by_key(self, shown: str) -> str:
        where = shlex.quote(self._server.typed)
        return f"securechat connect {where} --nick NICK --fingerprint {shown}"

    def _verify(self, trust: ByAuthority, why: str) -> Finding:
        """Shake hands once more, as a client does that trusts so."""
        from ..certs import x509

        assert self._certificate is not None
        try:
            guard = guard_of(trust, self._wishes.certificate)
            address = (self._host, self._port)
            with (
                socket.create_connection(address, self._timeout) as sock,
                guard.context.wrap_socket(sock, server_hostname=self._host) as tls,
            ):
                guard.admit(tls.getpeercert(binary_form=True) or b"", self._server)
        except ssl.SSLCertVerificationError as error:
            refusal = explain_distrust(error, self._host, guard.ca_file)
            known = isinstance(refusal, UnknownSigner)  # a person may know it by its key
            if not known:
                raise _Stop(fail("key", str(refusal))) from refusal
            text = f"{refusal} Compare its key with what `securechat serve` printed there"
            cure = self._connect_by_key(x509.key_fingerprint(self._certificate))
            raise _Stop(fail("key", text, cure)) from refusal
        except NotTrusted as error:
            raise _Stop(fail("key", str(error))) from error
        except OSError as error:
            raise _Stop(fail("key", f"the second handshake failed: {error}")) from error
        self._trust = trust
        return ok("key", why)

    # -------------------------------------------------------------- the chat

    def _greet(self) -> Finding:
        self._client = ChatClient(
            ClientConfig(
                host=self._host,
                port=self._port,
                nick=self._nick,
                rooms=(),
                trust=self._trust,
                certificate=self._wishes.certificate,
                reconnect=False,
                reads=False,
                connect_timeout=self._timeout,
            )
        )
        self._client.start()
        self._welcome = one = self._wait(Online).welcome
        abilities = f", with {', '.join(one.features)}" if one.features else ""
        return ok("protocol", f"{one.server} {one.version}, protocol {one.protocol}{abilities}")

    def _compare_clocks(self) -> Finding:
        began = datetime.now(UTC)
        now = self._ask("time", TimeIs)[0].now
        ended = datetime.now(UTC)
        there = datetime.fromisoformat(now)
        skew = (there - began - (ended - began) / 2).total_seconds()
        text = f"the server's is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} ours"
        if abs(skew) > _SKEW:
            return warn("clock", text, "timedatectl set-ntp true")
        return ok("clock", text)

    def _ping(self) -> Finding:
        took = [self._ask("ping", ServerPong)[1] for _ in range(_PINGS)]
        middle = statistics.median(took)
        text = f"{_ms(middle)} in the middle of {_PINGS}, {_ms(max(took))} at most"
        return warn("round trip", text) if middle > _SLOW else ok("round trip", text)

    def _tell_limits(self) -> Finding:
        assert self._welcome is not None
        one = self._welcome.limits
        rate = f"{one.rate:g} frames a second" if one.rate else "no limit of frames"
        return ok(
            "limits",
            f"{one.max_text:,} characters a message, {rate}, {one.burst} at once; silence of"
            f" {one.idle_timeout:g} s ends a connection",
        )

    def _ask(self, name: str, kind: type[Any]) -> tuple[Any, float]:
        """Give a command; its answer, and the seconds that it took."""
        assert self._client is not None
        began = time.monotonic()
        id = self._client.command(name)
        while True:
            system = self._wait(Heard).system
            if isinstance(system, kind) and getattr(system, "re", None) == id:
                return system, time.monotonic() - began

    def _wait(self, kind: type[Any]) -> Any:
        assert self._client is not None
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                event = self._client.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                why = f"the server says nothing for {self._timeout:g} s"
                raise _Stop(fail("protocol", why)) from None
            if isinstance(event, Ended):
                if isinstance(event.error, Refused):  # it is there, and sound
                    raise _Stop(warn("protocol", f"no guest is let in: {event.error}"))
                raise _Stop(fail("protocol", str(event.error or "the server hung up")))
            if isinstance(event, kind):
                return event


def _covers(hosts: tuple[str, ...], host: str) -> bool:
    """Whether one of the names of a certificate is `host` (RFC 9525)."""
    try:
        wanted = str(ip_address(host))
    except ValueError:
        wanted = host.lower().removesuffix(".")
    first, _, rest = wanted.partition(".")
    return wanted in hosts or bool(first and rest and f"*.{rest}" in hosts)


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.1f} ms"
