"""What `make setup` installs for who works on securechat: a requirements file, with markers."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from scripts.dev_dependencies import main


@pytest.fixture
def requirements(capsys: pytest.CaptureFixture[str]) -> dict[str, Requirement]:
    main()
    return {it.name: it for it in map(Requirement, capsys.readouterr().out.splitlines())}


def test_each_line_is_a_requirement(requirements: dict[str, Requirement]) -> None:
    assert {"pytest", "mypy", "ruff", "atheris"} <= requirements.keys()


@pytest.mark.parametrize(
    ("system", "machine", "wanted"),
    [("linux", "x86_64", True), ("linux", "aarch64", False), ("darwin", "x86_64", False)],
)
def test_what_has_no_wheels_elsewhere_is_not_asked_for_there(
    requirements: dict[str, Requirement], system: str, machine: str, wanted: bool
) -> None:
    marker = requirements["atheris"].marker
    assert marker is not None
    assert marker.evaluate({"sys_platform": system, "platform_machine": machine}) is wanted
