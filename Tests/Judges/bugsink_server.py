"""Bugsink: a Sentry-compatible server that checks the key, the envelope and, against Sentry's schema, each event.

It answers 200 to an event that it then throws away, so that only `judge.sh bugsink DIRECTORY events` proves an arrival.
It stores one event for each event_id. It has two projects, 1 and 2, and one user: judge@example.org, password judge.
"""

import os
import shutil
import sys

from judge import HOST, SENTRY_KEYS, announce, free_port, options, prepare

TABLES = ("db.sqlite3", "snappea.sqlite3")
# Most of a start would be the making of the tables. They are made once, with the installation, and copied.
TEMPLATE = os.path.join(sys.prefix, "tables")
USER = "judge@example.org:judge"


def set_up(directory, port, quota):
    """Has Bugsink's own code find our settings."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="bugsink_settings", BUGSINK_DIRECTORY=directory, BUGSINK_QUOTA=str(quota),
        BUGSINK_URL=f"http://{HOST}:{port}")
    import django

    django.setup(set_prefix=False)


def make_tables():
    """Makes the tables, the user and both projects."""
    from django.core.management import call_command

    for name in ("default", "snappea"):
        call_command("migrate", verbosity=0, database=name)
    os.environ["CREATE_SUPERUSER"] = USER
    call_command("prestart")
    from projects.models import Project
    from teams.models import Team

    team = Team.objects.create(name="judge")
    for name, key in zip(("shop", "warehouse"), SENTRY_KEYS):
        Project.objects.create(name=name, team=team, sentry_key=key)


def serve(port):
    from bugsink.wsgi import application
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self):
            for name, value in {
                "bind": f"{HOST}:{port}", "threads": 4, "graceful_timeout": 2, "timeout": 60,
                "control_socket_disable": True, "when_ready": lambda _: announce(port, dsn=dsn(port)),
            }.items():
                self.cfg.set(name, value)

        def load(self):
            return application

    Server().run()


def dsn(port):
    return f"http://{SENTRY_KEYS[0]}@{HOST}:{port}/1"


def main():
    parser = options(__doc__)
    parser.add_argument("--quota", type=int, default=1_000_000, metavar="EVENTS", help="429 after so many in 5 minutes")
    parser.add_argument("--open", action="store_true", help="show its pages to everybody, without a password")
    parser.add_argument("--make-tables", action="store_true", help="only make the tables that each start copies")
    chosen = prepare(parser)
    if chosen.make_tables:
        os.makedirs(TEMPLATE, exist_ok=True)
        set_up(TEMPLATE, 0, chosen.quota)
        make_tables()
        return
    port = chosen.port or free_port()
    for name in TABLES:
        if not os.path.exists(os.path.join(chosen.directory, name)):
            shutil.copy(os.path.join(TEMPLATE, name), chosen.directory)
    if chosen.open:
        os.environ["BUGSINK_OPEN"] = "1"
    set_up(chosen.directory, port, chosen.quota)
    serve(port)


if __name__ == "__main__":
    main()
