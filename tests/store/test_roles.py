"""What each role may do, tried as that role on a real server."""

from __future__ import annotations

import shutil
import stat
import tempfile
from functools import partial
from pathlib import Path

import psycopg2.errors
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

from bifrost_lib.core.errors import EnvironmentProblem, InputError, StoreError, UnknownNameError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import (
    Watch,
    drop_user,
    ensure_user,
    list_users,
    open_store,
    option_chain,
    request_chain,
    save_watch,
    url_for,
)
from bifrost_lib.store.embedded import EmbeddedServer
from bifrost_lib.store.migrate import HEAD, downgrade, migrate
from bifrost_lib.store.rights import GROUPS, OWNER, ROLES, WRITERS, apply_rights


def as_person(store, name):
    """The store as a person of the desk opens it."""
    return open_store(load_settings({"BIFROST_HOME": str(store.home), "BIFROST_DATABASE_URL": url_for(store, name)}))


@pytest.fixture(scope="module")
def people(store):
    """An open store of one person in each role, and of a second quant; their names end as the database's does."""
    mark = store.address.database[-8:]
    names = {role: f"{role}-{mark}" for role in ROLES} | {"colleague": f"colleague-{mark}"}
    opened = {}
    for who, name in names.items():
        ensure_user(store, name, "quant" if who == "colleague" else who)
        opened[who] = as_person(store, name)
    yield opened
    for who, name in names.items():
        opened[who].close()
        assert drop_user(store, name)


def attempt(store, statement):
    """Whether the statement is allowed; nothing of it stays."""
    with store.engine.connect() as connection:
        try:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            connection.execute(text(statement))
        except DBAPIError as error:
            assert isinstance(error.orig, psycopg2.errors.InsufficientPrivilege), error.orig
            return False
        finally:
            connection.rollback()
    return True


def test_everybody_reads_the_chain_and_opens_the_desk(store, people, made):
    made.ingest(store, "roles", made.snapshots(made.chain_rows([90, 100]), symbol="ROLES"))
    for person in people.values():
        assert len(option_chain(person.engine, "ROLES")) == 4


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("DELETE FROM option_snapshots", {"admin"}),
        ("UPDATE option_snapshots SET bid = 1", {"admin"}),
        ("DELETE FROM collection_watchlist", {"admin", "operator", "quant"}),
        ("DELETE FROM collection_requests", {"admin", "operator"}),
        ("UPDATE collection_requests SET problem = 'x'", {"admin", "operator", "quant"}),
        ("UPDATE collection_gaps SET filled = now()", {"admin", "operator"}),
        ("UPDATE report_runs SET problem = problem", {"admin", "operator", "quant"}),
        ("UPDATE strategy_history SET score = 1", {"admin", "operator"}),
        ("DELETE FROM saved_documents", {"admin", "operator", "quant"}),
        ("INSERT INTO stocks (symbol, simulated) VALUES ('MADE', true)", {"admin"}),
        ("UPDATE alembic_version SET version_num = '0000'", set()),
        ("CREATE TABLE own_table (x int)", set()),
        ("DROP TABLE collection_watchlist", set()),
        ("CREATE TEMPORARY TABLE own_table (x int)", {"admin", "operator", "quant"}),
        ("ALTER TABLE collection_requests DISABLE ROW LEVEL SECURITY", set()),
        ("SELECT rolpassword FROM pg_authid", set()),
        ("COPY stocks TO PROGRAM 'cat'", set()),
        ("SELECT pg_read_file('/etc/passwd')", set()),
        ("CREATE ROLE intruder", set()),
        ("GRANT bifrost_admin TO CURRENT_USER", set()),
        ("SET ROLE bifrost_admin", {"admin"}),
    ],
)
def test_each_right(people, statement, allowed):
    assert {role for role in ROLES if attempt(people[role], statement)} == allowed


def test_rows_belong_to_who_wrote_them(people, symbol, made):
    quant, colleague, operator = people["quant"], people["colleague"], people["operator"]
    key = request_chain(quant, symbol, requested_by="me", at=made.noon)
    assert request_chain(colleague, symbol, requested_by="me too", at=made.noon) == key
    change = f"UPDATE collection_requests SET problem = 'no longer' WHERE request_id = {key} RETURNING {OWNER}"  # noqa: S608
    me = quant.address.username.removeprefix("desk_")
    for person, owners in ((colleague, []), (quant, [me]), (operator, [me])):
        with person.engine.begin() as connection:
            assert list(connection.scalars(text(change))) == owners
    forged = (
        "INSERT INTO collection_requests (symbol, expiries, requested_by, requested, attempts, owner) "  # noqa: S608
        f"VALUES ('{symbol}X', '{{}}', 'me', now(), 0, '{me}')"
    )
    assert attempt(quant, forged) and not attempt(colleague, forged)


def test_a_table_that_comes_later_is_read_by_all_and_protected_once_rights_are_given(store, people, monkeypatch):
    with store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (what text, owner text)"))
        connection.execute(text("INSERT INTO later VALUES ('theirs', 'somebody')"))
    read, write = "SELECT * FROM later", "INSERT INTO later VALUES ('forged', 'somebody')"
    assert {role for role in ROLES if attempt(people[role], read)} == set(ROLES)
    monkeypatch.setitem(WRITERS, "later", {"quant": ("INSERT", "DELETE")})
    try:
        with store.engine.begin() as connection:
            assert apply_rights(connection)
        assert {role for role in ROLES if attempt(people[role], write)} == {"admin"}
        assert {role for role in ROLES if attempt(people[role], "DELETE FROM later")} == {"quant", "admin"}
        with people["quant"].engine.begin() as connection:
            assert connection.execute(text("DELETE FROM later")).rowcount == 0
    finally:
        with store.engine.begin() as connection:
            connection.execute(text("DROP TABLE later"))


def test_another_role_takes_the_rights_of_the_first_at_once(store, symbol):
    name = symbol.lower()
    ensure_user(store, name, "quant")
    with as_person(store, name) as person:
        save_watch(person, Watch(symbol))
        ensure_user(store, name, "trader")
        assert list_users(store)[name] == "trader"
        with pytest.raises(StoreError, match="permission denied"):
            save_watch(person, Watch(symbol))
    with as_person(store, name) as person, pytest.raises(StoreError, match="read-only transaction"):
        save_watch(person, Watch(symbol))
    assert drop_user(store, name)
    assert name not in list_users(store) and not drop_user(store, name)
    with pytest.raises(InputError, match="ensure_user"):
        url_for(store, name)


def test_a_connection_ends_with_its_login(store, symbol):
    ensure_user(store, symbol.lower(), "quant")
    with as_person(store, symbol.lower()) as person, person.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        drop_user(store, symbol.lower())
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT 1"))
        connection.invalidate()


def test_the_password_stays_where_it_is_generated(store, symbol):
    statements = []
    event.listen(store.engine, "before_cursor_execute", lambda *known: statements.append(f"{known[2]} {known[3]}"))
    login = ensure_user(store, symbol.lower(), "quant")
    path = store.home / "database-logins" / login
    password = path.read_text().strip()
    assert len(password) > 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert statements and not any(password in statement for statement in statements)
    assert ensure_user(store, symbol.lower(), "quant") == login
    assert path.read_text().strip() == password
    ensure_user(store, symbol.lower(), "quant", renew=True)
    assert path.read_text().strip() != password
    path.unlink()  # a home that was restored without it
    ensure_user(store, symbol.lower(), "quant")
    as_person(store, symbol.lower()).close()
    assert path.exists() and not list(path.parent.glob("*.new"))
    drop_user(store, symbol.lower())


@pytest.mark.parametrize(
    "name",
    ["", "Ann", "a b", 'a"; DROP TABLE stocks; --', "a'--", "../ann", ".ann", "-ann", "ann\n", "änn", "a" * 58, None],
)
def test_names_that_are_no_names_are_refused(store, name):
    before = list_users(store)
    for act in (partial(ensure_user, role="quant"), drop_user, url_for):
        with pytest.raises(InputError) as error:
            act(store, name)
        assert error.value.name == "name"
    assert list_users(store) == before


def test_roles_that_are_no_roles_are_refused(store):
    with pytest.raises(UnknownNameError) as error:
        ensure_user(store, "ann", "admin; DROP ROLE bifrost_admin")
    assert error.value.name == "role"


def test_a_login_with_rights_of_others_giving_is_left_alone(store, symbol):
    with store.engine.begin() as connection:
        connection.execute(text(f'CREATE ROLE "desk_{symbol.lower()}" CREATEDB'))
    try:
        with pytest.raises(StoreError, match="not of Bifrost's giving"):
            ensure_user(store, symbol.lower(), "trader")
    finally:
        with store.engine.begin() as connection:
            connection.execute(text(f'DROP ROLE "desk_{symbol.lower()}"'))


def test_who_does_not_own_the_tables_leaves_older_ones_alone(store, people):
    url = url_for(store, people["quant"].address.username.removeprefix("desk_"))
    engine = create_engine(url)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    try:
        with pytest.raises(StoreError, match=r"revision 0003, older than this Bifrost's .* as their owner"):
            migrate(engine)
    finally:
        engine.dispose()
        with store.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})


@pytest.fixture
def strict_server():
    """A server that never saw Bifrost's roles, and a settings maker for an account without any rights on it."""
    home = Path(tempfile.mkdtemp(prefix="bifrost-tests-", dir="/tmp"))
    home.chmod(0o711)
    server = EmbeddedServer(home)
    engine = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE ROLE house LOGIN PASSWORD 'made-up'"))
        connection.execute(text("CREATE DATABASE desk OWNER house"))
        url = server.url("desk").set(username="house", password="made-up")  # noqa: S106
        settings = {"BIFROST_HOME": str(home / "desk"), "BIFROST_DATABASE_URL": url.render_as_string(False)}
        (home / "desk").mkdir()
        yield connection, load_settings(settings)
    engine.dispose()
    server.close()
    shutil.rmtree(home)


def test_an_owner_who_may_not_make_roles_works_alone_until_somebody_helps(strict_server):
    superuser, settings = strict_server
    with open_store(settings) as store:
        save_watch(store, Watch("SPY"))
        with pytest.raises(EnvironmentProblem) as error:
            ensure_user(store, "ann", "trader")
        assert error.value.remedy == 'as a superuser run: ALTER ROLE "house" CREATEROLE;'
        for group in GROUPS:  # an administrator who makes the roles himself
            superuser.execute(text(f"CREATE ROLE {group}"))
        superuser.execute(text('ALTER ROLE "house" CREATEROLE'))
        with pytest.raises(EnvironmentProblem) as error:
            ensure_user(store, "ann", "trader")
        assert list_users(store) == {} and not list((store.home / "database-logins").iterdir())
        for statement in error.value.remedy.partition("run: ")[2].rstrip(";").split(";"):
            superuser.execute(text(statement))
        ensure_user(store, "ann", "trader")
        with as_person(store, "ann") as person:
            assert attempt(person, "SELECT * FROM collection_watchlist")
            assert not attempt(person, "DELETE FROM collection_watchlist")
            assert not attempt(person, "CREATE TEMPORARY TABLE own_table (x int)")
        drop_user(store, "ann")
        downgrade(store.engine)


def test_an_owner_who_may_make_roles_but_is_no_superuser_does_everything(strict_server):
    superuser, settings = strict_server
    superuser.execute(text('ALTER ROLE "house" CREATEROLE'))
    with open_store(settings) as store:
        ensure_user(store, "ann", "quant")
        with as_person(store, "ann") as person, person.engine.connect() as connection:
            save_watch(person, Watch("SPY"))
            ensure_user(store, "ann", "trader", renew=True)
            assert list_users(store) == {"ann": "trader"}
            assert drop_user(store, "ann")
            # It may not end her connections: they stay, with no right to anything.
            with pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text("SELECT * FROM collection_watchlist"))
            connection.invalidate()
        assert list_users(store) == {}
