"""scripts/gen_certs.py: the same certificates from a clone that is not installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from securechat import certs

SCRIPT = Path(__file__).parents[2] / "scripts" / "gen_certs.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_certs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_runs_from_anywhere(tmp_path: Path) -> None:
    run = [sys.executable, str(SCRIPT)]
    first, second = (
        subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        for _ in range(2)
    )
    made = certs.check_server_pair(tmp_path / "certs", now=datetime.now(UTC))
    assert (first.returncode, first.stderr) == (0, "")
    assert made.key_fingerprint in first.stdout
    assert first.stdout.endswith("  securechat serve\n  securechat connect --nick bob\n")
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith("gen_certs: certs holds ca-key.pem and 3 more already")
    assert second.stderr.count("\n") == 1


def test_the_script_takes_hosts_force_and_renew(
    script: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(folder)]
    assert script.main([*out, "--host", "a.example", "--host", "192.0.2.7"]) == 0
    first = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert first.hosts[3:] == ("a.example", "192.0.2.7")
    assert script.main([*out, "--renew"]) == 0
    renewed = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert renewed.key_fingerprint == first.key_fingerprint
    assert renewed.fingerprint != first.fingerprint
    assert script.main([*out, "--force"]) == 0
    forced = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert forced.key_fingerprint != first.key_fingerprint
    printed = capsys.readouterr()
    assert all(made.key_fingerprint in printed.out for made in (first, forced))
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--renew", "--host", "a.example"], "--renew keeps the hosts"),
        (["--renew", "--force"], "not allowed with"),
        (["surplus"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_of_the_script_exits_2(
    script: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        script.main(arguments)
    assert caught.value.code == 2
    assert why in capsys.readouterr().err


def test_the_script_refuses_in_one_line(
    script: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--out", str(folder), "--host", "no host"]) == 1
    assert capsys.readouterr().err == (
        "gen_certs: 'no host' is no host to make a certificate for: it has white space in it\n"
    )
