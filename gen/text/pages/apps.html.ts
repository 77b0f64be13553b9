/** Generated from docs/apps.md (`deno task gen`): edit that file, not this one. */
const text: string = `<h1 id="your-app-behind-a-preview">Your app behind a preview</h1>
<p>For people whose app runs in a sandbox and is opened by its preview address,
such as <code>https://3000-{sandbox}.preview.example.com</code>.</p>
<h2 id="what-your-app-receives">What your app receives</h2>
<p>Your app gets each request as the browser sent it: method, path, query and body
byte for byte. These headers differ:</p>
<ul>
<li><code>Host</code>: <code>localhost:3000</code>, with your app&#39;s port: Daytona&#39;s daemon, in the
sandbox, sets it</li>
<li><code>X-Forwarded-Host</code>: the address in the browser:
<code>3000-{sandbox}.preview.example.com</code>, with a port if it has one</li>
<li><code>X-Forwarded-Proto</code>: <code>https</code> or <code>http</code>, as in the browser</li>
<li><code>X-Forwarded-For</code>: the visitor&#39;s address, then those of the hops on the way;
what visitors send themselves counts only if the gateway&#39;s operator trusts
their network</li>
<li><code>Origin</code>: as the browser sent it, except from your own pages: see
<a href="#the-address-that-your-app-is-told">its address</a></li>
<li><code>Cookie</code>: your app&#39;s cookies, without the gateway&#39;s</li>
<li><code>Authorization</code>: the visitor&#39;s, unless it was the key that opened the preview</li>
<li><code>X-Daytona-Preview-Token</code>: never arrives</li>
<li><code>X-Request-Id</code>: the visitor&#39;s, or one that the gateway made up; its pages and
its log have it too</li>
<li><code>Accept-Encoding</code>: <code>identity</code> if there was none</li>
</ul>
<p>Listening on <code>127.0.0.1</code> or <code>localhost</code> is enough. Your app speaks plain
HTTP/1.1, whatever the browser does.</p>
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
<p>Where your app redirects to <code>http://localhost:3000/…</code>, the browser goes to the
public address, with the same path. Origins of other ports, sandboxes and sites
always come unchanged.</p>
<p>Some frameworks compare the <code>Origin</code> of a form with <code>Host</code> alone, and refuse the
form. For these, the owner of the sandbox can label it:</p>
<table>
<thead>
<tr>
<th>Label</th>
<th>What your app sees</th>
</tr>
</thead>
<tbody><tr>
<td><code>porthole.app-origin=local</code></td>
<td><code>Origin</code> and <code>Referer</code> of localhost in every request from your own pages, no <code>X-Forwarded-Host</code> and <code>-Proto</code></td>
</tr>
<tr>
<td><code>porthole.app-origin=pass</code></td>
<td>everything as the browser sent it, redirects too</td>
</tr>
<tr>
<td><code>porthole.app-origin.3000=local</code></td>
<td>the same for one port</td>
</tr>
</tbody></table>
<pre tabindex="0"><code class="language-ts">const labels = { ...sandbox.labels, &quot;porthole.app-origin&quot;: &quot;local&quot; };
await sandbox.setLabels(labels); // it replaces all of them
</code></pre>
<p>A label counts after two minutes at most, and not at gateways of a custom
region: there, add the framework&#39;s line. With <code>local</code>, your app cannot know its
public address from a request: tell it by a setting if it sends links by e-mail
or logs people in elsewhere.</p>
<h2 id="frameworks">Frameworks</h2>
<p>What was seen in Chromium, over http and https: the page runs its scripts, an
edit arrives, a form is posted, a redirect leads back, the app&#39;s own WebSocket
works. <code>deno task e2e --dev-servers --save</code> writes this table.</p>
<table>
<thead>
<tr>
<th>Framework</th>
<th>Version</th>
<th>As it is</th>
<th>With the label <code>local</code></th>
<th>Its line</th>
<th>With its line</th>
</tr>
</thead>
<tbody><tr>
<td>Vite</td>
<td>8.3.8</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Next.js</td>
<td>16.4.6</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>webpack-dev-server</td>
<td>5.2.7</td>
<td>edits do not arrive</td>
<td>edits do not arrive</td>
<td><code>client: { webSocketURL: &quot;auto://0.0.0.0:0/ws&quot; }</code></td>
<td>works</td>
</tr>
<tr>
<td>Angular</td>
<td>22.2.7</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Nuxt</td>
<td>4.5.2</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>SvelteKit</td>
<td>3.2.0</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Astro 5</td>
<td>5.18.0</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Astro</td>
<td>7.3.5</td>
<td>forms refused</td>
<td>works</td>
<td><code>security: { allowedDomains: [{ hostname: &quot;**.preview.example.com&quot; }] }</code></td>
<td>works</td>
</tr>
<tr>
<td>React Router</td>
<td>8.4.0</td>
<td>forms refused</td>
<td>works</td>
<td><code>allowedActionOrigins: [&quot;**.preview.example.com&quot;]</code></td>
<td>works</td>
</tr>
<tr>
<td>Parcel</td>
<td>2.16.4</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Rsbuild</td>
<td>2.3.2</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Storybook</td>
<td>10.6.7</td>
<td>edits do not arrive</td>
<td>edits do not arrive</td>
<td><code>viteFinal: (config) =&gt; { delete config.server.hmr.port; return config; }</code></td>
<td>works</td>
</tr>
<tr>
<td>Express with <code>cors</code> and <code>ws</code></td>
<td>5.3.0</td>
<td>works</td>
<td>page not interactive</td>
<td></td>
<td></td>
</tr>
<tr>
<td>code-server</td>
<td>4.139.1</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Jupyter Notebook</td>
<td>6.4.13</td>
<td>forms refused; its WebSocket is refused</td>
<td>works</td>
<td><code>c.NotebookApp.allow_origin_pat = r&quot;https://.*\\.preview\\.example\\.com&quot;</code></td>
<td>works</td>
</tr>
<tr>
<td>Django</td>
<td>4.2.30</td>
<td>forms refused</td>
<td>works</td>
<td><code>CSRF_TRUSTED_ORIGINS = [&quot;https://*.preview.example.com&quot;]</code></td>
<td>works</td>
</tr>
<tr>
<td>Flask, in debug mode</td>
<td>3.1.1</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Flask-SocketIO</td>
<td>5.5.1</td>
<td>works</td>
<td>its WebSocket is refused</td>
<td></td>
<td></td>
</tr>
<tr>
<td>Rails</td>
<td>7.2.2.2</td>
<td>page not interactive</td>
<td>works</td>
<td><code>config.hosts &lt;&lt; &quot;.preview.example.com&quot;</code></td>
<td>works</td>
</tr>
<tr>
<td>PHP&#39;s built-in server</td>
<td>8.4</td>
<td>works</td>
<td>works</td>
<td></td>
<td></td>
</tr>
</tbody></table>
<p>Why each of these lines is needed, and what it is for:</p>
<ul>
<li><strong>webpack-dev-server</strong>: <code>client: { webSocketURL: &quot;auto://0.0.0.0:0/ws&quot; }</code>. Its
page dials the dev server&#39;s own port, which only the configuration of the page
can change.</li>
<li><strong>Astro</strong>:
<code>security: { allowedDomains: [{ hostname: &quot;**.preview.example.com&quot; }] }</code>, or
the label. It compares a form&#39;s Origin with Host, and believes
X-Forwarded-Host of the domains that are listed.</li>
<li><strong>React Router</strong>: <code>allowedActionOrigins: [&quot;**.preview.example.com&quot;]</code>, or the
label. It compares an action&#39;s Origin with Host alone.</li>
<li><strong>Storybook</strong>:
<code>viteFinal: (config) =&gt; { delete config.server.hmr.port; return config; }</code>.
Its page dials Storybook&#39;s own port for hot reload.</li>
<li><strong>Jupyter Notebook</strong>:
<code>c.NotebookApp.allow_origin_pat = r&quot;https://.*\\.preview\\.example\\.com&quot;</code>, or
the label. It compares a POST&#39;s Origin with Host alone.</li>
<li><strong>Django</strong>: <code>CSRF_TRUSTED_ORIGINS = [&quot;https://*.preview.example.com&quot;]</code>, or the
label. It compares a form&#39;s Origin with Host alone.</li>
<li><strong>Rails</strong>: <code>config.hosts &lt;&lt; &quot;.preview.example.com&quot;</code>, or the label. It refuses
all requests whose X-Forwarded-Host is not in its list.</li>
</ul>
<p>Take your own domain for <code>preview.example.com</code>. Where there is a choice, take
the label: a line with a wildcard (Astro, React Router, Jupyter, Django) accepts
the origins of every preview at that domain, other people&#39;s too. Do not switch
the checks off: they keep other websites from using your app through a visitor&#39;s
browser.</p>
<h2 id="absolute-urls-and-redirect-uris">Absolute URLs and redirect URIs</h2>
<ul>
<li>Prefer relative links and redirects (<code>/login</code>): they are right everywhere.</li>
<li>A URL that is built from <code>Host</code> says localhost, which is wrong in a page, an
e-mail or JSON. Build it from <code>X-Forwarded-Host</code> and <code>X-Forwarded-Proto</code>:
<code>app.set(&quot;trust proxy&quot;, true)</code> in Express, <code>ProxyFix</code> in Flask,
<code>USE_X_FORWARDED_HOST</code> in Django, <code>trustHost</code> in Auth.js. That is safe in a
sandbox; it may not be in production.</li>
<li>Redirect URIs of a login with Google, GitHub and the like have to be
registered, and most providers accept no wildcards: register yours by their
API, log in through one fixed address that passes the code on, or use a test
provider.</li>
<li>Behind <code>https</code>, cookies should be <code>Secure</code>; some frameworks need the same
“trust proxy” setting for that.</li>
</ul>
<h2 id="cookies">Cookies</h2>
<ul>
<li>Each port has its own host, and so its own cookies. On localhost, all ports
share them: an app that relies on that needs a proxy on one port.</li>
<li><code>Domain</code> is removed from <code>Set-Cookie</code> if it is the previews&#39; domain or one
above it: the cookie is then for your host alone.</li>
<li>Names of the gateway&#39;s own, such as <code>__Host-porthole-session</code>, cannot be set,
and <code>Clear-Site-Data: &quot;cookies&quot;</code> clears nothing.</li>
<li><code>SameSite</code> does not protect your app from other previews: check the <code>Origin</code>
of what changes something, as most frameworks do.</li>
</ul>
<h2 id="caching">Caching</h2>
<p>Browsers store your responses as <code>Cache-Control</code> says, with <code>private</code> in place
of <code>public</code> and <code>s-maxage</code>. Headers for CDNs, such as <code>CDN-Cache-Control</code> and
<code>Surrogate-Key</code>, do not pass.</p>
<h2 id="frames">Frames</h2>
<ul>
<li>A private preview opens in a frame of another port of the same sandbox, and of
the websites that the gateway&#39;s operator lists. The page around it must let
its origin be sent: not <code>Referrer-Policy: no-referrer</code>.</li>
<li>In a frame of another website, come by a link with a token, and set your own
cookies with <code>SameSite=None; Secure; Partitioned</code>.</li>
<li>Public previews open in any frame, unless your app forbids it by
<code>frame-ancestors</code> or <code>X-Frame-Options</code>.</li>
</ul>
<h2 id="calls-between-ports">Calls between ports</h2>
<p>A page on port 3000 that calls an API on port 8000 is cross-origin there, as on
localhost, but at <code>https://8000-{sandbox}.preview.example.com</code>.</p>
<ul>
<li>What your app answers about CORS counts. If it sets no
<code>Access-Control-Allow-Origin</code>, the gateway answers in its place: everybody may
read without credentials; pages of the same sandbox also with them.</li>
<li>A private API needs the visitor&#39;s session: call
<code>fetch(url, { credentials: &quot;include&quot; })</code>, and open that port once before, if
the visitor came by a link for port 3000 alone. With your own list of origins,
name the public ones, not <code>http://localhost:3000</code>.</li>
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
<li>A message may have 16 MiB. A WebSocket whose app does not read is closed with
1013 once 16 MiB wait for it.</li>
<li>When a visitor&#39;s access ends, so do their streams and WebSockets: half a
minute later at most where a link ended or the sandbox became private, three
minutes where a user lost access or a token was replaced. WebSockets close
with 1001 when the gateway restarts: reconnect.</li>
</ul>
<h2 id="uploads-and-limits">Uploads and limits</h2>
<p>These are the defaults, which an operator may have changed.</p>
<table>
<thead>
<tr>
<th>What</th>
<th>Limit</th>
<th>Beyond it</th>
</tr>
</thead>
<tbody><tr>
<td>size of an upload or download</td>
<td>none</td>
<td></td>
</tr>
<tr>
<td>an upload or download that stands still</td>
<td>300 s</td>
<td>408 <code>upload_stalled</code></td>
</tr>
<tr>
<td>path and query</td>
<td>32 KiB</td>
<td>414 <code>target_too_long</code></td>
</tr>
<tr>
<td>headers of a request, cookies among them</td>
<td>32 KiB, 100 headers</td>
<td>431 <code>head_too_large</code></td>
</tr>
<tr>
<td>requests and WebSockets at once, per sandbox</td>
<td>1,000</td>
<td>503 <code>sandbox_overloaded</code></td>
</tr>
<tr>
<td>of these, requests without a response yet</td>
<td>625</td>
<td>503 <code>sandbox_overloaded</code></td>
</tr>
<tr>
<td>requests and WebSockets from one visitor&#39;s address</td>
<td>1,000, of which 500 WebSockets</td>
<td>429 <code>client_overloaded</code></td>
</tr>
<tr>
<td>of these, uploads without <code>Content-Length</code></td>
<td>100</td>
<td>429 <code>client_overloaded</code></td>
</tr>
<tr>
<td>time until the response begins</td>
<td>300 s</td>
<td>504 <code>runner_timeout</code></td>
</tr>
<tr>
<td>WebSocket messages of up to 100 bytes from a visitor</td>
<td>16,384 in a second</td>
<td>close code 1008 or 1006, and 429 <code>client_overloaded</code> for 10 s</td>
</tr>
<tr>
<td>WebSocket pings and the like from your app</td>
<td>4,096 in a second</td>
<td>close code 1008</td>
</tr>
</tbody></table>
<p>HTTP trailers (and so gRPC, but not gRPC-Web), early hints, the body of a GET,
and upgrades to anything but WebSocket do not pass.</p>
<h2 id="when-the-gateway-answers-in-your-apps-place">When the gateway answers in your app&#39;s place</h2>
<p>Such an answer has <code>X-Porthole-Error</code>. Its page says what happened, and <code>/docs</code>
on the gateway&#39;s own address lists all codes. With <code>port_closed</code>, nothing
listens on that port: look at your app&#39;s output. With <code>app_refused_websocket</code>,
your app ended a handshake without a valid answer.</p>
<h2 id="see-what-arrives">See what arrives</h2>
<p><code>https://preview.example.com/inspect/SANDBOX</code>, on the base domain, shows the
requests to a sandbox while it is open: times, sizes, heads, error codes,
WebSocket closes; as a curl command and as HAR, too. It is for who has access by
a login or a bearer, not by links. Credentials are hidden, bodies are not shown,
and of a load test you see a sample.</p>
<p>To see exactly what your app would receive, run this in the sandbox:</p>
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
