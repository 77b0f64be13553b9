/** Flask in debug mode, whose server restarts itself after an edit. */
import { form, interactive, redirect, reload } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "app.py": `from flask import Flask, redirect, request, url_for
from markupsafe import escape

app = Flask(__name__)

@app.route("/", methods=["GET", "POST"])
def start():
    return f"""<!doctype html>
<h1>Before</h1>
<button id="count" onclick="this.textContent = Number(this.textContent) + 1">0</button>
<form method="post"><input id="word" name="word"><button id="send">Send</button></form>
<p id="said">{escape(request.form.get("word", ""))}</p>"""

@app.route("/away")
def away():
    return redirect(url_for("landed", _external=True))

@app.route("/landed")
def landed():
    return '<p id="landed">Landed</p>'
`,
};

export const flask: DevServer = {
  name: "flask",
  title: "Flask, in debug mode",
  packages: { debian: ["python3-flask"] },
  files: () => FILES,
  command: ({ port }) => [
    ...["/usr/bin/python3", "-m", "flask", "run", "--debug"],
    ...["--host", "127.0.0.1", "--port", String(port)],
  ],
  checks: [interactive(), reload("app.py"), form(), redirect()],
};
