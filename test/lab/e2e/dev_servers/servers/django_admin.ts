/** Django's own site for administrators, as `startproject` sets it up: with logins, and a word against every frame. */
import { interactive } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

/** Who may log in. */
export const ADMIN = { name: "alice", password: "not secret" };

function files({ origins }: Settings): Record<string, string> {
  return {
    "manage.py": `import os
import sys
import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line

APPS = "django.contrib."
settings.configure(
    DEBUG=True,
    SECRET_KEY="not secret",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[APPS + name for name in
        ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]},
    }],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    STATIC_URL="/static/",
    CSRF_TRUSTED_ORIGINS=${JSON.stringify(origins)},
)
django.setup()

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]

if __name__ == "__main__":
    if os.environ.get("RUN_MAIN") != "true":
        from django.contrib.auth.models import User
        call_command("migrate", verbosity=0)
        User.objects.create_superuser("${ADMIN.name}", password="${ADMIN.password}")
    execute_from_command_line(sys.argv)
`,
  };
}

/** Not in the table: it is tried in a frame. */
export const djangoAdmin: DevServer = {
  name: "django-admin",
  title: "Django's admin site",
  packages: { debian: ["python3-django"] },
  files,
  command: ({ port }) => [
    ...["/usr/bin/python3", "manage.py", "runserver", "--skip-checks"],
    `127.0.0.1:${port}`,
  ],
  warmUp: ["/admin/login/"],
  checks: [interactive("/admin/")],
};
