"""`securechat admin`: for whoever runs the server, on its machine: accounts, sessions, connections.

A group of commands, `app`. They reach a running server over the socket in its data folder, and
where none runs they change the data itself. The exit code is 1 when it was not done.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from .configuring import ConfigOption
from .operator import AsJson, DataFolder, operate, show
from .options import check_password
from .passwords import PasswordFile, read_password
from .report import complain, reported
from .status import status

if TYPE_CHECKING:
    from pydantic import SecretStr

app = typer.Typer(
    name="admin",
    help="For whoever runs the server, on its machine: accounts, sessions, connections.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_Account: TypeAlias = Annotated[str, typer.Argument(metavar="ACCOUNT", show_default=False)]

app.command()(status)


class Role(Enum):
    """What an account may be on the whole server."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


@app.command()
def accounts(
    data: DataFolder = None, _config: ConfigOption = None, as_json: AsJson = False
) -> None:
    """List the accounts, the owners first.

    \b
    Examples:
      securechat admin accounts
      securechat admin accounts --data /srv/chat --json
    """
    with reported():
        from ..chat.admin import ListAccounts

        answer = operate(data, ListAccounts())
        columns = ("account", "role", "nick", "password", "sessions", "connections", "created")
        show(answer.rows, columns, as_json=as_json)
        if not answer.rows:
            complain("there are no accounts yet; `securechat admin owner NAME` makes the first")


@app.command()
def owner(
    name: _Account,
    password_file: PasswordFile = None,
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Make somebody an owner; a name that is no account becomes one, with a password.

    \b
    Examples:
      securechat admin owner alice
      securechat admin owner alice --password-file first-password
    """
    with reported():
        from ..chat.admin import AddAccount, ListAccounts, SetRole
        from ..chat.nicks import parse_nick
        from ..chat.roles import Role as AnyRole
        from ..errors import Rejected
        from ..server.operate import OperatorError

        try:
            key = parse_nick(name).key
        except Rejected as no:
            raise OperatorError(no.message) from None
        known = [parse_nick(row["account"]).key for row in operate(data, ListAccounts()).rows]
        if key in known:
            operate(data, SetRole(name=name, role=AnyRole.OWNER))
        else:
            password = _new_password(password_file, name)
            operate(data, AddAccount(name=name, role=AnyRole.OWNER, password=password))
        print(f"{name} is an owner")


@app.command()
def add(
    name: _Account,
    role: Annotated[Role, typer.Option(help="What it is on the whole server.")] = Role.MEMBER,
    password_file: PasswordFile = None,
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Make an account with a password.

    `securechat invite NICK` is the other way: there they need no password.

    \b
    Examples:
      securechat admin add bob
      securechat admin add robot --password-file robot-password
    """
    with reported():
        from ..chat.admin import AddAccount
        from ..chat.roles import Role as AnyRole

        password = _new_password(password_file, name)
        operate(data, AddAccount(name=name, role=AnyRole(role.value), password=password))
        print(f"{name} has an account, as {role.value}")


@app.command()
def role(name: _Account, role: Role, data: DataFolder = None, _config: ConfigOption = None) -> None:
    """Say what an account is on the whole server.

    \b
    Examples:
      securechat admin role alice admin
      securechat admin role alice member
    """
    with reported():
        from ..chat.admin import SetRole
        from ..chat.roles import Role as AnyRole

        operate(data, SetRole(name=name, role=AnyRole(role.value)))
        print(f"{name} is {role.value} now")


@app.command()
def passwd(
    name: _Account,
    password_file: PasswordFile = None,
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Set another password, and log the account out everywhere.

    \b
    Examples:
      securechat admin passwd bob
      securechat admin passwd bob --password-file new-password
    """
    with reported():
        from ..chat.admin import SetPassword

        password = _new_password(password_file, name)
        [row] = operate(data, SetPassword(name=name, password=password)).rows
        print(f"{name} has another password; {_ended(row['ended'])}")


@app.command()
def sessions(
    name: _Account, data: DataFolder = None, _config: ConfigOption = None, as_json: AsJson = False
) -> None:
    """List where an account is logged in.

    \b
    Examples:
      securechat admin sessions bob
    """
    with reported():
        from ..chat.admin import ListSessions

        rows = operate(data, ListSessions(name=name)).rows
        show(rows, ("session", "client", "connections", "created", "used"), as_json=as_json)


@app.command()
def connections(
    data: DataFolder = None, _config: ConfigOption = None, as_json: AsJson = False
) -> None:
    """List who is connected.

    \b
    Examples:
      securechat admin connections
    """
    with reported():
        from ..chat.admin import ListConnections

        rows = operate(data, ListConnections()).rows
        show(rows, ("connection", "nick", "account", "role", "silent", "rooms"), as_json=as_json)


@app.command()
def cut(
    name: Annotated[str | None, typer.Argument(metavar="[ACCOUNT]", show_default=False)] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this one, as `sessions` lists it.")
    ] = None,
    connection: Annotated[
        int | None,
        typer.Option(
            min=1, max=2**53 - 1, metavar="N", help="This connection, as `connections` lists it."
        ),
    ] = None,
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Log an account out everywhere, or of one session; or end one connection.

    \b
    Examples:
      securechat admin cut bob
      securechat admin cut bob --session 6b3f09c2a1d4
      securechat admin cut --connection 17
    """
    with reported():
        from ..chat.admin import CutConnection, CutSessions

        if (name is None) is (connection is None):
            raise typer.BadParameter("give an ACCOUNT, or --connection N")
        if connection is not None:
            [row] = operate(data, CutConnection(number=connection)).rows
            print(f"connection {connection} of {row['nick']} is ended")
        elif name is not None:
            [row] = operate(data, CutSessions(name=name, session=session)).rows
            print(f"{name}: {_ended(row['ended'])}")


def _ended(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'} ended"


def _new_password(file: str | None, name: str) -> SecretStr:
    from pydantic import SecretStr

    return SecretStr(check_password(read_password(file, f"New password for {name}", is_new=True)))
