/** Flask-SocketIO, which is told the public origins. */
import { interactive, socket } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

function files({ origins, port }: Settings): Record<string, string> {
  return {
    "app.py": `from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading", cors_allowed_origins=${
      JSON.stringify(origins)
    })

@app.route("/")
def start():
    return """<!doctype html>
<button id="count" onclick="this.textContent = Number(this.textContent) + 1">0</button>
<p id="socket"></p>
<script>
  // What socket.io-client sends: Engine.IO's handshake, Socket.IO's connect, an event.
  const address = location.origin.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket";
  const socket = new WebSocket(address);
  socket.onmessage = ({ data }) => {
    if (data.startsWith("0")) socket.send("40");
    if (data.startsWith("40")) socket.send('42["say","echo"]');
    if (data.startsWith("42")) document.querySelector("#socket").textContent = JSON.parse(data.slice(2))[1];
  };
</script>"""

@socketio.on("say")
def say(word):
    socketio.emit("said", word)

socketio.run(app, host="127.0.0.1", port=${port}, allow_unsafe_werkzeug=True)
`,
  };
}

export const flaskSocketio: DevServer = {
  name: "flask-socketio",
  title: "Flask-SocketIO",
  packages: { debian: ["python3-flask-socketio", "python3-simple-websocket"] },
  files,
  command: () => ["/usr/bin/python3", "app.py"],
  checks: [interactive(), socket],
};
