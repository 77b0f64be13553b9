/** PHP's built-in server, with a redirect that is built from Host, as many applications build theirs. */
import { form, interactive, redirect, reload } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "index.php": `<?php
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
if ($path === "/away") {
  header("Location: http://" . $_SERVER["HTTP_HOST"] . "/landed");
  exit;
}
if ($path === "/landed") exit('<p id="landed">Landed</p>');
?><!doctype html>
<h1>Before</h1>
<button id="count" onclick="this.textContent = Number(this.textContent) + 1">0</button>
<form method="post"><input id="word" name="word"><button id="send">Send</button></form>
<p id="said"><?= htmlspecialchars($_POST["word"] ?? "") ?></p>
`,
};

export const php: DevServer = {
  name: "php",
  title: "PHP's built-in server",
  packages: { debian: ["php-cli"] },
  files: () => FILES,
  command: ({ port }) => ["php", "-S", `127.0.0.1:${port}`, "index.php"],
  checks: [interactive(), reload("index.php"), form(), redirect()],
};
