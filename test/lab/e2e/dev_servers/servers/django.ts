/** Django's `runserver`, with its protection against forged forms. */
import { form, interactive, redirect, reload } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

function files({ origins, line }: Settings): Record<string, string> {
  const trusted = origins.map((origin) => origin.replace(/\/\/[^.]+/, "//*"));
  return {
    "manage.py": `import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import path

settings.configure(
    DEBUG=True,
    SECRET_KEY="not secret",
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    STATIC_URL="/static/",
    ${line ? `CSRF_TRUSTED_ORIGINS=${JSON.stringify(trusted)},` : ""}
)

PAGE = """<!doctype html>
<h1>Before</h1>
<button id="count" onclick="this.textContent = Number(this.textContent) + 1">0</button>
<form method="post">{% csrf_token %}
<input id="word" name="word"><button id="send">Send</button></form>
<p id="said">{{ word }}</p>"""

def start(request):
    template = engines["django"].from_string(PAGE)
    return HttpResponse(template.render({"word": request.POST.get("word", "")}, request))

def away(request):
    return HttpResponseRedirect(request.build_absolute_uri("/landed"))

def landed(request):
    return HttpResponse('<p id="landed">Landed</p>')

urlpatterns = [path("", start), path("away", away), path("landed", landed)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
`,
  };
}

export const django: DevServer = {
  name: "django",
  title: "Django",
  packages: { debian: ["python3-django"] },
  files,
  command: ({ port }) => [
    ...["/usr/bin/python3", "manage.py", "runserver", "--skip-checks"],
    `127.0.0.1:${port}`,
  ],
  checks: [interactive(), reload("manage.py"), form(), redirect()],
  worksInLocal: true,
  line: {
    text: '`CSRF_TRUSTED_ORIGINS = ["https://*.preview.example.com"]`',
    reason: "It compares a form's Origin with Host alone.",
  },
};
