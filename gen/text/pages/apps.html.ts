/** Generated from docs/apps.md (`deno task gen`): edit that file, not this one. */
const text: string = `<h1 id="your-app-behind-a-preview">Your app behind a preview</h1>
<p>For people whose app in a sandbox is opened at
<code>https://3000-{sandbox}.preview.example.com</code>.</p>
<h2 id="what-your-app-receives">What your app receives</h2>
<p>Your app gets each request as the browser sent it: method, path, query and body
byte for byte. These headers differ:</p>
<ul>
<li><code>Host</code>: <code>localhost:3000</code>, with your app&#39;s port</li>
<li><code>X-Forwarded-Host</code>: the address in the browser:
<code>3000-{sandbox}.preview.example.com</code></li>
<li><code>X-Forwarded-Proto</code>: <code>https</code> or <code>http</code>, as in the browser</li>
<li><code>X-Forwarded-For</code>: the visitor&#39;s address, then those of the hops</li>
<li><code>Origin</code>: as the browser sent it, except from
<a href="#the-address-that-your-app-is-told">your own pages</a></li>
<li><code>Cookie</code>: your app&#39;s, without the gateway&#39;s</li>
<li><code>Authorization</code>: the visitor&#39;s, unless it opened the preview</li>
<li><code>X-Daytona-Preview-Token</code>: never arrives</li>
<li>who the visitor is, in a signed header, where the operator has that on</li>
<li><code>X-Request-Id</code>: the visitor&#39;s, or the gateway&#39;s, whose pages and log have it</li>
<li><code>Accept-Encoding</code>: <code>identity</code> if there was none</li>
</ul>
<p>Listening on <code>127.0.0.1</code> or <code>localhost</code> is enough. Your app speaks plain
HTTP/1.1. Where embeds are on, paths below <code>/.porthole/</code> are the gateway&#39;s.</p>
<h2 id="the-address-that-your-app-is-told">The address that your app is told</h2>
<p>Many dev servers refuse an <code>Origin</code> that is not that of <code>Host</code>. So where
<code>Origin</code> is exactly your app&#39;s own public address:</p>
<ul>
<li>a WebSocket handshake has <code>Origin: http://localhost:3000</code>, and no
<code>X-Forwarded-Host</code> and <code>-Proto</code>. If your app refuses that, the handshake is
made once more as the browser sent it, and the form that your app accepts is
remembered;</li>
<li>GET and HEAD have no <code>Origin</code>;</li>
<li>everything else, such as a form, comes as the browser sent it.</li>
</ul>
<p>An app that answers a GET with 403, as Rails and Sinatra do for hosts that they
do not know, gets it once more without <code>X-Forwarded-Host</code> and <code>-Proto</code>. If that
is not refused, all requests of your own pages, but not those on other ports,
look like that from then on, as with the label <code>local</code> below.</p>
<p>Where your app redirects to <code>http://localhost:3000/…</code>, or to its port at
<code>127.0.0.1</code>, <code>0.0.0.0</code> or <code>[::1]</code>, the browser goes to the public address;
<code>Refresh</code> and <code>Content-Location</code> are led back likewise. A redirect to another
port of the sandbox leads to that port&#39;s public address, but for a visitor who
came by a signed link, and a login&#39;s answer (<code>code=</code>, <code>error=</code>), which may be
for a program on the visitor&#39;s own machine. Origins of other ports, sandboxes
and sites always come unchanged.</p>
<p>Some frameworks compare the <code>Origin</code> of a form with <code>Host</code> alone, and refuse the
form. For these, the owner of the sandbox can label it:</p>
<table>
<thead><tr>
<th>Label</th>
<th>What your app sees</th>
</tr></thead>
<tbody>
<tr>
<td data-label="Label"><code>porthole.app-origin=local</code></td>
<td data-label="What your app sees"><code>Origin</code> and <code>Referer</code> of localhost in every request from your own pages, no <code>X-Forwarded-Host</code>; <code>-Proto</code> only without <code>Origin</code></td>
</tr>
<tr>
<td data-label="Label"><code>porthole.app-origin=pass</code></td>
<td data-label="What your app sees">everything as the browser sent it, redirects too</td>
</tr>
<tr>
<td data-label="Label"><code>porthole.app-origin.3000=local</code></td>
<td data-label="What your app sees">the same for one port</td>
</tr>
</tbody></table>
<pre tabindex="0"><code class="language-ts">const labels = { ...sandbox.labels, &quot;porthole.app-origin&quot;: &quot;local&quot; };
await sandbox.setLabels(labels); // it replaces all of them
</code></pre>
<p>A label counts after two minutes at most. With <code>local</code>, your app cannot know its
public address from a request: tell it by a setting if it needs it. An app that
sets <code>Secure</code> cookies only where it is told of <code>https</code> (Express with
<code>trust proxy</code>) then loses those that it would set in answer to a form.
<code>cookie: { secure: &quot;auto&quot; }</code> of <code>express-session</code> sets them anyway.</p>
<h2 id="frameworks">Frameworks</h2>
<p>Seen in Chromium, over http and https: scripts run, an edit arrives, a form is
posted, a redirect leads back, the app&#39;s own WebSocket works.
<code>deno task e2e --dev-servers --save</code> writes this list. The label is <code>local</code>, and
changes nothing unless said.</p>
<ul>
<li><strong>Vite</strong> 8.3.8: works</li>
<li><strong>Vite beside an Express API with <code>cors()</code></strong> 8.3.8: works</li>
<li><strong>Vite beside FastAPI with <code>CORSMiddleware</code></strong> 8.3.8: works</li>
<li><strong>Next.js</strong> 16.4.6: works</li>
<li><strong>Next.js with <code>-H 0.0.0.0</code></strong> 16.4.6: works</li>
<li><strong>webpack-dev-server</strong> 5.2.7: edits do not arrive; with its line, works:
<code>client: { webSocketURL: &quot;auto://0.0.0.0:0/ws&quot; }</code>. Its page dials the dev
server&#39;s own port, which only the configuration of the page can change.</li>
<li><strong>Create React App</strong> 5.0.1: edits do not arrive; with its line, works:
<code>WDS_SOCKET_HOST=0.0.0.0 WDS_SOCKET_PORT=0</code>. Its page dials the host and port
that the dev server listens on; the first is not needed where that is every
host.</li>
<li><strong>Vue CLI</strong> 5.0.9: edits do not arrive; with its line, works:
<code>devServer: { client: { webSocketURL: &quot;auto://0.0.0.0:0/ws&quot; } }</code>. Its page
dials the dev server&#39;s own address.</li>
<li><strong>Angular</strong> 22.2.7: works</li>
<li><strong>Nuxt</strong> 4.5.2: works</li>
<li><strong>SvelteKit</strong> 3.2.0: works</li>
<li><strong>Astro 5</strong> 5.18.0: works</li>
<li><strong>Astro</strong> 7.3.5: forms refused; with the label, works; with its line, works:
<code>security: { allowedDomains: [{ hostname: &quot;**.preview.example.com&quot; }] }</code>. It
compares a form&#39;s Origin with Host, and believes X-Forwarded-Host of the
domains that are listed.</li>
<li><strong>React Router</strong> 8.4.0: forms refused; with the label, works; with its line,
works: <code>allowedActionOrigins: [&quot;**.preview.example.com&quot;]</code>. It compares an
action&#39;s Origin with Host alone.</li>
<li><strong>Parcel</strong> 2.16.4: works</li>
<li><strong>Rsbuild</strong> 2.3.2: works</li>
<li><strong>Storybook</strong> 10.6.7: edits do not arrive; with its line, works:
<code>viteFinal: (config) =&gt; { delete config.server.hmr.port; return config; }</code>.
Its page dials Storybook&#39;s own port for hot reload.</li>
<li><strong>Express with <code>cors</code> and <code>ws</code></strong> 5.3.0: works; with the label, page not
interactive</li>
<li><strong>code-server</strong> 4.139.1: works</li>
<li><strong>Jupyter Notebook</strong> 6.4.13: forms refused; its WebSocket is refused; with the
label, works; with its line, works:
<code>c.NotebookApp.allow_origin_pat = r&quot;https://.*\\.preview\\.example\\.com&quot;</code>. It
compares a POST&#39;s Origin with Host alone.</li>
<li><strong>Django</strong> 4.2.30: forms refused; with the label, works; with its line, works:
<code>CSRF_TRUSTED_ORIGINS = [&quot;https://*.preview.example.com&quot;]</code>. It compares a
form&#39;s Origin with Host alone.</li>
<li><strong>Flask, in debug mode</strong> 3.1.1: works</li>
<li><strong>Flask-SocketIO</strong> 5.5.1: works; with the label, its WebSocket is refused</li>
<li><strong>Rails</strong> 7.2.2.2: works</li>
<li><strong>Sinatra</strong> 4.1.1: works</li>
<li><strong>PHP&#39;s built-in server</strong> 8.4: works</li>
</ul>
<p>Not in the list:</p>
<ul>
<li><strong>React Router 7</strong> compares an action&#39;s Origin since 7.12, as 8 does: the same
line, or the label.</li>
<li><strong>better-auth</strong>:
<code>baseURL: { allowedHosts: [&quot;*.preview.example.com&quot;, &quot;localhost:*&quot;] }</code>. It
looks for its own address in <code>X-Forwarded-Host</code> then.</li>
<li><strong>ComfyUI</strong> compares a POST&#39;s Origin with Host: the label.</li>
<li><strong>@auth/express</strong> makes its URLs, and so its redirect URIs, of <code>Host</code>: no line
helps.</li>
<li><strong>Web manifests</strong> are fetched without cookies, and so refused by a private
preview:
<code>&lt;link rel=&quot;manifest&quot; href=&quot;/app.webmanifest&quot; crossorigin=&quot;use-credentials&quot;&gt;</code>.</li>
</ul>
<p>Put your own previews&#39; domain for <code>preview.example.com</code>. Where there is a
choice, take the label: a wildcard accepts other people&#39;s previews, too. Do not
switch the checks off: they keep other websites from using your app through a
visitor&#39;s browser.</p>
<h2 id="absolute-urls-and-redirect-uris">Absolute URLs and redirect URIs</h2>
<ul>
<li>Prefer relative links and redirects (<code>/login</code>): they are right everywhere.</li>
<li>Build absolute URLs from <code>X-Forwarded-Host</code> and <code>X-Forwarded-Proto</code>, not from
<code>Host</code>, which says localhost: <code>app.set(&quot;trust proxy&quot;, true)</code> in Express,
<code>ProxyFix</code> in Flask, <code>USE_X_FORWARDED_HOST</code> in Django, <code>trustHost</code> in Auth.js.
That is safe in a sandbox; it may not be in production.</li>
<li>Most providers (Google, GitHub) accept no wildcards as redirect URIs: register
yours by their API, log in through one fixed address that passes the code on,
or use a test provider.</li>
<li>Behind <code>https</code>, cookies should be <code>Secure</code>; some frameworks need the same
“trust proxy” setting for that.</li>
</ul>
<h2 id="cookies">Cookies</h2>
<ul>
<li>Each port has its own host, and so its own cookies. An app that shares them
among ports, as on localhost, needs a proxy on one port.</li>
<li><code>Domain</code> is removed from <code>Set-Cookie</code> if it is the previews&#39; domain, one above
it, <code>localhost</code> or an address of that: the cookie is then for your host alone.</li>
<li>Names of the gateway&#39;s own, such as <code>__Host-porthole-session</code>, cannot be set,
and <code>Clear-Site-Data: &quot;cookies&quot;</code> clears nothing.</li>
<li><code>SameSite</code> does not protect your app from other previews: check the <code>Origin</code>
of what changes something, as most frameworks do.</li>
</ul>
<h2 id="caching">Caching</h2>
<p><code>Cache-Control</code> says <code>private</code> in place of <code>public</code> and <code>s-maxage</code>. Headers for
CDNs, such as <code>CDN-Cache-Control</code> and <code>Surrogate-Key</code>, do not pass.</p>
<h2 id="frames">Frames</h2>
<ul>
<li>A private preview opens in a frame of another port of the same sandbox, and of
the websites that the gateway&#39;s operator lists. The page around it must let
its origin be sent: not <code>Referrer-Policy: no-referrer</code>.</li>
<li>In a frame of another website, come by a link with a token, and set your own
cookies with <code>SameSite=None; Secure; Partitioned</code>.</li>
<li>Public previews open in any frame, unless the operator forbids it, or your app
by <code>frame-ancestors</code> or <code>X-Frame-Options</code>.</li>
</ul>
<h2 id="calls-between-ports">Calls between ports</h2>
<p>A page on port 3000 calls an API on port 8000 at
<code>https://8000-{sandbox}.preview.example.com</code>, cross-origin as on localhost.</p>
<ul>
<li>What your app answers about CORS counts. If it sets no
<code>Access-Control-Allow-Origin</code>, the gateway answers in its place: everybody may
read without credentials; pages of the same sandbox also with them.</li>
<li>To a page of the same sandbox, <code>*</code> and <code>http://localhost:3000</code>, with that
page&#39;s port, say its public origin, with credentials: what works on localhost
works here. An app that fails for origins that are not in its list, rather
than leave out the header, needs the public one in the list.</li>
<li>A private API needs the visitor&#39;s session: call
<code>fetch(url, { credentials: &quot;include&quot; })</code>, and open that port once before, if
the visitor came by a link for port 3000 alone.</li>
<li>Simpler: let the dev server pass <code>/api</code> on to <code>http://localhost:8000</code>
(<code>server.proxy</code> in Vite, <code>rewrites</code> in Next.js).</li>
</ul>
<h2 id="websockets-streams-and-idle-times">WebSockets, streams and idle times</h2>
<ul>
<li>Messages, subprotocols and close codes pass. Compression and pings end at the
gateway, which pings the browser itself: a silent WebSocket stays open.</li>
<li>Dial the page&#39;s own host, <code>location.host</code>, and <code>wss:</code> where the page is
<code>https:</code>. Your server&#39;s own port is not public.</li>
<li>Server-sent events and streamed responses pass as they come, however long or
silent. Send <code>X-Accel-Buffering: no</code> in case there is a proxy in front.</li>
<li>When a visitor&#39;s access ends, so do their streams and WebSockets, within half
a minute (three, where a user lost access or a token was replaced). WebSockets
close with 1001 when the gateway restarts: reconnect.</li>
</ul>
<h2 id="uploads-and-limits">Uploads and limits</h2>
<p>The defaults, which an operator may have changed:</p>
<ul>
<li>size of an upload or download: no limit</li>
<li>an upload or download that stands still: 300 s; then 408 <code>upload_stalled</code></li>
<li>path and query: 32 KiB; then 414 <code>target_too_long</code></li>
<li>headers of a request, cookies among them: 32 KiB, 100 headers; then 431
<code>head_too_large</code></li>
<li>requests and WebSockets at once, per sandbox: 1,000; then 503
<code>sandbox_overloaded</code></li>
<li>of these, requests without a response yet: 625; then 503 <code>sandbox_overloaded</code></li>
<li>requests and WebSockets from one visitor&#39;s address: 1,000, of which 500
WebSockets; one more waits up to 10 s, and gets 429 <code>client_overloaded</code> then</li>
<li>of these, uploads without <code>Content-Length</code>: 100; then 429 <code>client_overloaded</code></li>
<li>time until the response begins: 300 s; then 504 <code>runner_timeout</code></li>
<li>WebSocket messages of up to 100 bytes from a visitor: 16,384 in a second; then
close code 1008 or 1006, and 429 <code>client_overloaded</code> for 10 s</li>
<li>WebSocket pings and the like from your app: 4,096 in a second; then close code
1008</li>
<li>a WebSocket&#39;s message: 16 MiB; then close code 1009</li>
<li>what waits for an app that reads no WebSocket: 16 MiB; then close code 1013</li>
</ul>
<p>HTTP trailers (and so gRPC, but not gRPC-Web), early hints, the body of a GET,
and upgrades to anything but WebSocket do not pass.</p>
<h2 id="when-the-gateway-answers-in-your-apps-place">When the gateway answers in your app&#39;s place</h2>
<p>Such an answer has <code>X-Porthole-Error</code>, a code that <code>/docs</code> on the gateway&#39;s own
address explains. With <code>port_closed</code>, nothing listens on that port; with
<code>app_refused_websocket</code>, your app ended a handshake without a valid answer.</p>
<h2 id="see-what-arrives">See what arrives</h2>
<p><code>https://preview.example.com/inspect/SANDBOX</code>, on the base domain, shows the
requests to a sandbox while it is open, and its last failures, without bodies
and credentials; as a curl command and as HAR, too. It is for who has access by
a login or a bearer, not by links.</p>
<p>Or run this in the sandbox:</p>
<pre tabindex="0"><code class="language-sh">cat &gt; arrives.cjs &lt;&lt;&#39;END&#39;
require(&quot;http&quot;).createServer(({ method, url, rawHeaders }, answer) =&gt;
  answer.end(JSON.stringify({ method, url, rawHeaders }, null, 1))
).listen(8080);
END
node arrives.cjs
</code></pre>
<p>Then open port 8080, or with a preview token:</p>
<pre tabindex="0"><code class="language-sh">curl -i -H &quot;X-Daytona-Preview-Token: $TOKEN&quot; \\
  &quot;https://8080-$SANDBOX.preview.example.com/a?b&quot;
</code></pre>
`;
export default text;
