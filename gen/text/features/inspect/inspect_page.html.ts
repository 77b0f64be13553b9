/** Generated from src/features/inspect/inspect_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Porthole</p>
<h1>Requests to <span class="name">{name}</span></h1>
<p>{links}</p>
<p id="state" role="status">This page needs JavaScript.</p>
<div class="tools" role="group" aria-label="What is shown">
  <label>Port <select id="port"><option value="">all</option></select></label>
  <label>Status <select id="status"><option value="">all</option><option value="1">1xx</option>
<option value="2">2xx</option><option value="3">3xx</option><option value="4">4xx</option>
<option value="5">5xx</option><option value="gateway">the gateway’s own</option></select></label>
  <label>Path contains <input id="text" autocomplete="off" spellcheck="false"></label>
  <button id="pause" type="button">Pause</button>
  <button id="clear" type="button">Clear</button>
  <button id="har" type="button">Download as HAR</button>
</div>
<p id="missed" role="status" hidden></p>
<div class="panes">
  <div>
    <table>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Port</th>
          <th scope="col">Request</th>
          <th scope="col">Status</th>
          <th scope="col">Took</th>
          <th scope="col">Size</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody id="rows"></tbody>
    </table>
    <p id="empty">No requests yet.</p>
  </div>
  <section id="details" aria-labelledby="details-title" hidden>
    <h2 id="details-title" tabindex="-1">Request</h2>
    <dl id="facts"></dl>
    <h3>Request headers</h3>
    <pre id="request-head" tabindex="0"></pre>
    <h3>Response headers</h3>
    <pre id="response-head" tabindex="0"></pre>
    <h3>As a command</h3>
    <p
      class="note">For any shell: without headers that hold a quote, %, $, !, &#92; or &#96;.</p>
    <pre id="curl" tabindex="0"></pre>
    <p class="note" id="left-out" hidden></p>
    <button id="copy" type="button">Copy as curl</button>
    <button id="close" type="button">Close</button>
    <p id="copied" role="status"></p>
  </section>
</div>
<p
  class="note">Only what comes while this page is open, and the last failures of an hour before unless the
gateway’s operator keeps none, at the process that serves it: others have pages of their own. If more come than can be read, a sample is shown, and the others are counted.
Nothing is stored. Credentials are hidden, in headers and in queries; what was sent and received besides the heads is
never shown. The latest 500 requests are kept, in this page only.</p>
`;
export default text;
