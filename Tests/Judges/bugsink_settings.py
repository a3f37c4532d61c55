"""The settings of a Bugsink that `bugsink_server.py` starts; it gives them by the environment."""

import os

from bugsink.settings.default import *  # noqa: F401,F403
from bugsink.settings.default import DATABASES, MIDDLEWARE

DIRECTORY = os.environ["BUGSINK_DIRECTORY"]
QUOTA = int(os.environ["BUGSINK_QUOTA"])
WITHOUT_LIMIT = 1_000_000_000

SECRET_KEY = "a judge on this machine keeps no secrets: 0123456789abcdef0123456789abcdef"
DATABASES["default"]["NAME"] = f"{DIRECTORY}/db.sqlite3"
DATABASES["snappea"]["NAME"] = f"{DIRECTORY}/snappea.sqlite3"
ALLOWED_HOSTS = ["*"]
TIME_ZONE = "UTC"
SENTRY_DSN = None
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if os.environ.get("BUGSINK_OPEN"):
    MIDDLEWARE.insert(MIDDLEWARE.index("bugsink.middleware.LoginRequiredMiddleware"), "bugsink_settings.log_in")
# An event is digested before its request is answered.
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
BUGSINK = {
    "BASE_URL": os.environ["BUGSINK_URL"],
    "SINGLE_USER": True,
    "SINGLE_TEAM": True,
    "PHONEHOME": False,
    "FEATURE_MINIDUMPS": True,
    # An event that does not fit Sentry's schema is thrown away, after a 200.
    "VALIDATE_ON_DIGEST": "strict",
    # So many requests are kept as they came, those of events that were not stored among them.
    "KEEP_ENVELOPES": 100_000,
    "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES": QUOTA,
    "MAX_EVENTS_PER_5_MINUTES": QUOTA,
    "MAX_EVENTS_PER_PROJECT_PER_HOUR": WITHOUT_LIMIT,
    "MAX_EVENTS_PER_HOUR": WITHOUT_LIMIT,
    "INGEST_STORE_BASE_DIR": f"{DIRECTORY}/ingestion",
}


def log_in(get_response):
    """Takes each visitor for the one user that there is."""
    def respond(request):
        from django.contrib.auth import get_user_model

        request.user = get_user_model().objects.get()
        return get_response(request)
    return respond
