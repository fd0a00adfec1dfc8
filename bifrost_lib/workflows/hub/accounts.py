"""Local accounts: who may log in, in which role, with which password; the passwords are kept as scrypt hashes."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import InputError, SettingsError, UnknownNameError
from bifrost_lib.workflows.hub.private_files import write_private
from bifrost_lib.workflows.hub.registry import ROLES

SHORTEST_PASSWORD = 12
_COST: dict[str, Any] = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20}
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,31}")


@dataclass(frozen=True)
class Account:
    """One person; `salt` and `hash` are hexadecimal."""

    name: str
    role: str
    salt: str
    hash: str

    def takes(self, password: str) -> bool:
        """Return whether `password` is this person's; takes the same time either way."""
        return hmac.compare_digest(_hash(password, bytes.fromhex(self.salt)), bytes.fromhex(self.hash))


#: Compared with where nobody has the given name, so that the time taken does not tell names that exist.
_NOBODY = Account("nobody", "trader", "00" * 16, "00" * 64)


def read_accounts(home: Path) -> dict[str, Account]:
    """Return the accounts of a home by name; empty before the first start.

    Raises
    ------
    SettingsError
        If the file cannot be understood: nobody is let in by a file that may have been cut short.
    """
    path = _file(home)
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {row["name"]: Account(**row) for row in rows}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError):
        raise SettingsError(
            "accounts", str(path), "is damaged; restore it, or remove it to have it made anew"
        ) from None


def set_account(home: Path, name: str, *, role: str, password: str | None = None) -> str:
    """Make an account, or give one another role and password; return the password, generated where none is given.

    Raises
    ------
    InputError
        If the name is no short lower-case word, or the password is too short.
    UnknownNameError
        If there is no such role.
    """
    if not _NAME.fullmatch(name):
        raise InputError("name", name, "2 to 32 lower-case letters, digits, - and _, a letter first")
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    password = generated_password() if password is None else password
    if len(password) < SHORTEST_PASSWORD:
        raise InputError("password", "***", f"at least {SHORTEST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    account = Account(name, role, salt.hex(), _hash(password, salt).hex())
    _write(home, read_accounts(home) | {name: account})
    return password


def remove_account(home: Path, name: str) -> None:
    """Take an account away; whoever is logged in by it is out at the hub's next look.

    Raises
    ------
    UnknownNameError
        If there is none of this name.
    """
    accounts = read_accounts(home)
    if name not in accounts:
        raise UnknownNameError("account", name, accounts)
    _write(home, {key: account for key, account in accounts.items() if key != name})


def first_accounts(home: Path) -> dict[str, str]:
    """Make one account for each role where there are none yet; return their passwords, empty where there were some.

    The passwords are kept in ``credentials`` of the home too, one ``name: password`` a line, for its owner alone.
    """
    if read_accounts(home):
        return {}
    passwords = {role: set_account(home, role, role=role) for role in ROLES}
    write_private(home / "credentials", "".join(f"{name}: {word}\n" for name, word in passwords.items()))
    return passwords


def account_for(home: Path, name: str, password: str) -> Account | None:
    """Return the account that `name` and `password` open, or None; which of the two was wrong is not told."""
    account = read_accounts(home).get(name)
    fits = (account or _NOBODY).takes(password)
    return account if fits else None


def generated_password() -> str:
    """Return a password of 24 characters that nobody guesses (144 bits)."""
    return secrets.token_urlsafe(18)


def _hash(password: str, salt: bytes) -> bytes:
    # Of a fixed length first: scrypt takes a short word and the same word with zeros behind it for one.
    return hashlib.scrypt(hashlib.sha512(password.encode()).digest(), salt=salt, **_COST)


def _file(home: Path) -> Path:
    return home / "accounts.json"


def _write(home: Path, accounts: dict[str, Account]) -> None:
    write_private(_file(home), json.dumps([asdict(account) for account in accounts.values()], indent=1))
