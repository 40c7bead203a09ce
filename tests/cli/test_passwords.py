"""Where a password may come from, and where it must not."""

from __future__ import annotations

import getpass
import io
import os
import warnings
from pathlib import Path

import pytest

from securechat.cli import passwords
from securechat.cli.passwords import NoPassword, read_password


def keep(path: Path, data: bytes, mode: int = 0o600) -> str:
    path.write_bytes(data)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    ("data", "password"),
    [
        (b"tulips\n", "tulips"),
        (b"tulips", "tulips"),
        (b"tulips\r\nroses\n", "tulips"),
        (b" tulips in may \n", " tulips in may "),
        ("Пароль\n".encode(), "Пароль"),
    ],
)
def test_a_file_holds_it_in_its_first_line(tmp_path: Path, data: bytes, password: str) -> None:
    assert read_password(keep(tmp_path / "p", data), "") == password


def test_a_file_that_others_can_read_is_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_password(keep(tmp_path / "p", b"tulips\n", 0o644), "") == "tulips"
    said = capsys.readouterr().err
    assert "chmod 600" in said
    assert "tulips" not in said


@pytest.mark.parametrize("data", [b"", b"\ntulips\n", b"tul\xffips\n"])
def test_a_file_without_one_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NoPassword) as refusal:
        read_password(keep(tmp_path / "p", data), "")
    assert "ips" not in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPassword, match="cannot be read"):
        read_password(str(tmp_path / "p"), "")


def test_standard_input_gives_up_its_first_line_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near, far = os.pipe()
    os.write(far, b"tulips\nhello\n")
    os.close(far)
    with os.fdopen(near) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert read_password("-", "") == "tulips"
        assert stdin.read() == "hello\n"


def test_where_nobody_sits_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("tulips\n"))
    with pytest.raises(NoPassword, match="--password-file"):
        read_password(None, "Password")


def test_a_new_one_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["tulips", "tulips", "tulips", "tulip"])
    monkeypatch.setattr(passwords, "can_ask", lambda: True)
    monkeypatch.setattr(passwords, "ask", lambda _: next(typed))
    assert read_password(None, "New", is_new=True) == "tulips"
    with pytest.raises(NoPassword, match="two different"):
        read_password(None, "New", is_new=True)


def test_a_terminal_that_would_show_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def shows(_: str) -> str:
        warnings.warn("it is shown", getpass.GetPassWarning, stacklevel=1)
        return "tulips"

    monkeypatch.setattr(getpass, "getpass", shows)
    with pytest.raises(NoPassword, match="cannot hide"):
        passwords.ask("Password: ")
