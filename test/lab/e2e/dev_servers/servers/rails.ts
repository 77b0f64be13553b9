/** Rails in development, on Puma, with a form and Action Cable. */
import { form, interactive, redirect, reload, socket } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "config.ru": `require "rails"
require "action_controller/railtie"
require "action_cable/engine"

class App < Rails::Application
  config.root = __dir__
  config.load_defaults 7.2
  config.eager_load = false
  config.enable_reloading = true
  config.secret_key_base = "not secret" * 8
  config.logger = Logger.new($stdout)
end
App.initialize!
run App
`,
  "config/routes.rb": `Rails.application.routes.draw do
  root "start#start"
  post "/" => "start#start"
  get "/away" => "start#away"
  get "/landed" => "start#landed"
end
`,
  "config/cable.yml": "development:\n  adapter: async\n",
  "app/controllers/start_controller.rb":
    `class StartController < ActionController::Base
  protect_from_forgery with: :exception

  def start
    render inline: <<~HTML
      <!doctype html>
      <h1>Before</h1>
      <button id="count" onclick="this.textContent = Number(this.textContent) + 1">0</button>
      <%= form_with url: "/" do %><input id="word" name="word"><button id="send">Send</button><% end %>
      <p id="said"><%= params[:word] %></p><p id="socket"></p>
      <script>
        const address = location.origin.replace("http", "ws") + "/cable";
        new WebSocket(address, "actioncable-v1-json").onmessage = ({ data }) => {
          if (JSON.parse(data).type === "welcome") document.querySelector("#socket").textContent = "echo";
        };
      </script>
    HTML
  end

  def away
    redirect_to landed_url
  end

  def landed
    render html: '<p id="landed">Landed</p>'.html_safe
  end
end
`,
};

export const rails: DevServer = {
  name: "rails",
  title: "Rails",
  packages: { debian: ["rails", "puma", "ruby-sqlite3"] },
  files: () => FILES,
  command: ({ port }) => [
    ...["puma", "--environment", "development"],
    ...["--bind", `tcp://127.0.0.1:${port}`, "config.ru"],
  ],
  checks: [
    interactive(),
    reload("app/controllers/start_controller.rb"),
    form(),
    redirect(),
    socket,
  ],
};
