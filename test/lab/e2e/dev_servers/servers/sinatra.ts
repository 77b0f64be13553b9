/** Sinatra in development, whose host authorization knows localhost alone. */
import { form, interactive, redirect } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "config.ru": `require "sinatra/base"

class App < Sinatra::Base
  page = lambda do
    <<~HTML
      <!doctype html>
      <h1>Before</h1>
      <button id="count" onclick="this.textContent = Number(this.textContent) + 1">0</button>
      <form method="post"><input id="word" name="word"><button id="send">Send</button></form>
      <p id="said">#{Rack::Utils.escape_html(params[:word].to_s)}</p>
    HTML
  end
  get("/", &page)
  post("/", &page)
  get("/away") { redirect "/landed" }
  get("/landed") { '<p id="landed">Landed</p>' }
end
run App
`,
};

export const sinatra: DevServer = {
  name: "sinatra",
  title: "Sinatra",
  packages: { debian: ["ruby-sinatra", "puma"] },
  files: () => FILES,
  command: ({ port }) => [
    ...["puma", "--environment", "development"],
    ...["--bind", `tcp://127.0.0.1:${port}`, "config.ru"],
  ],
  checks: [interactive(), form(), redirect()],
};
