"""The operators' tool: `python -m auth.users add|passwd|disable|enable|list|keys|revoke`.

A password is asked for, read from standard input, or generated; it is never on a command line, where
every user of the machine could read it.
"""

import argparse
import getpass
import sys
from collections.abc import Sequence

from auth import database, password_rules, passwords
from auth.database import DatabaseUnavailable, InvalidDatabaseUrl
from auth.key_store import PersonalKeys
from auth.password_rules import WeakPassword
from auth.passwords import Passwords
from auth.personal_key import NoSuchKey, PersonalKey
from auth.settings import DatabaseSettings
from auth.store import Users
from auth.user import InvalidUsername, NoSuchUser, User, UserExists, canonical
from chassis.settings import InvalidSettings


class PasswordsDiffer(Exception):
    """The password was typed in two ways."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return the process's exit status."""
    asked = _parser().parse_args(arguments)
    try:
        url = DatabaseSettings.read().database_url.get_secret_value()
        engine = database.connect(url)
        _run(asked, Users(engine), PersonalKeys(engine))
    except (InvalidSettings, InvalidDatabaseUrl) as error:
        return _refuse(error, 2)
    except (
        DatabaseUnavailable,
        InvalidUsername,
        NoSuchKey,
        NoSuchUser,
        UserExists,
        WeakPassword,
        PasswordsDiffer,
    ) as error:
        return _refuse(error, 1)
    return 0


def _run(asked: argparse.Namespace, users: Users, keys: PersonalKeys) -> None:
    if asked.command == "list":
        for user in users.all():
            sys.stdout.write(_line(user))
        return
    username = canonical(asked.username)
    if asked.command == "add":
        users.add(username, _hash(asked, username), admin=asked.admin)
    elif asked.command == "passwd":
        users.set_password(username, _hash(asked, username))
    elif asked.command == "disable":
        users.disable(username)
    elif asked.command == "keys":
        for key in keys.all(_found(users, username)):
            sys.stdout.write(_key_line(key))
    elif asked.command == "revoke":
        keys.revoke(_found(users, username), asked.key)
    else:
        users.enable(username)


def _found(users: Users, username: str) -> User:
    user = users.find(username)
    if user is None:
        raise NoSuchUser(f"there is no user {username}")
    return user


def _hash(asked: argparse.Namespace, username: str) -> str:
    if asked.generate:
        password = passwords.generate()
        sys.stdout.write(f"{password}\n")
    elif asked.stdin or not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass.getpass(f"Password of {username}: ")
        if getpass.getpass("Again: ") != password:
            raise PasswordsDiffer("the two passwords differ")
    password_rules.check(password, username)
    return Passwords().hash(password)


def _line(user: User) -> str:
    role = "admin" if user.admin else "user"
    state = "disabled" if user.disabled else "enabled"
    return f"{user.username}\t{role}\t{state}\t{user.created_at:%Y-%m-%d}\n"


def _key_line(key: PersonalKey) -> str:
    used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d}"
    scopes = " ".join(sorted(key.scopes))
    return f"{key.id}\t{key.start}\t{scopes}\tuntil {key.expires_at:%Y-%m-%d}\tused {used}\t{key.name}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth.users", description="Manage the users.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("add", "add a user"),
        ("passwd", "give a user a new password; their tokens are revoked"),
        ("disable", "block a user from logging in; their tokens are revoked"),
        ("enable", "allow a user to log in again"),
        ("keys", "print a user's personal keys: id, first characters, scopes, expiry, last use, name"),
        ("revoke", "revoke one of a user's personal keys"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("username", help="an e-mail address")
        if name == "add":
            command.add_argument("--admin", action="store_true", help="make an administrator")
        if name == "revoke":
            command.add_argument("key", help="its id, as keys prints it")
        if name in ("add", "passwd"):
            source = command.add_mutually_exclusive_group()
            source.add_argument("--stdin", action="store_true", help="read the password from standard input")
            source.add_argument("--generate", action="store_true", help="create a password and print it")
    commands.add_parser("list", help="print all users: name, role, state, date of creation")
    return parser


def _refuse(error: Exception, status: int) -> int:
    sys.stderr.write(f"{error}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
