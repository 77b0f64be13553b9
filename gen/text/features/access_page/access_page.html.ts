/** Generated from src/features/access_page/access_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Porthole</p>
<h1>Access to <span class="name">{name}</span></h1>
<noscript><p>This page needs JavaScript.</p></noscript>
<section id="shares" aria-labelledby="shares-title">
  <h2 id="shares-title" tabindex="-1">Share links</h2>
  <p>
    For people: a link opens one port, to look at and to use, and nothing else. Whoever gets it may pass it on.
  </p>
  <p role="status"></p>
  <div class="made" hidden>
    <h3 tabindex="-1">The new link, which is shown only now</h3>
    <pre class="prose" tabindex="0"></pre><button>Copy the link</button>
  </div>
  <table hidden>
    <thead>
      <tr>
        <th scope="col">Share</th>
        <th scope="col">Port</th>
        <th scope="col">For</th>
        <th scope="col">Uses left</th>
        <th scope="col">Ends</th>
        <td></td>
      </tr>
    </thead>
    <tbody></tbody>
  </table>
  <form hidden>
    <h3>Make a share link</h3>
    <div class="fields">
      <label>Port <input name="port" type="number" required min="1" max="65535" placeholder="3000"></label>
      <label>Path <input name="path" pattern="/.*" autocapitalize="none" spellcheck="false" placeholder="/"></label>
      <label>Hours <input name="hours" type="number" min="1" max="720" placeholder="168, if allowed"></label>
      <label>Note <input name="note" maxlength="200" placeholder="what it is for"></label>
      <label>Uses <input name="uses" type="number" min="1" placeholder="any"></label>
      <label>Emails <input name="emails" autocapitalize="none" spellcheck="false"
          placeholder="all who have it, or ann@example.com"></label>
      <label>Passcode <input name="passcode" minlength="6" maxlength="100" autocomplete="off" autocapitalize="none" spellcheck="false"
          placeholder="none"></label>
    </div>
    <button>Make a share link</button>
  </form>
</section>
<section id="tokens" aria-labelledby="tokens-title">
  <h2 id="tokens-title" tabindex="-1">Tokens</h2>
  <p>
    For programs that cannot log in: jobs, webhooks, tests. A token opens the ports that it names, and nothing else.
  </p>
  <p role="status"></p>
  <div class="made" hidden>
    <h3 tabindex="-1">The new token, which is shown only now</h3>
    <pre class="prose" tabindex="0"></pre><button>Copy the token</button>
    <h3>Its use</h3><pre class="prose" tabindex="0"></pre><button>Copy the command</button>
    <p>Keep it as you keep passwords: whoever has it may use it.</p>
  </div>
  <table hidden>
    <thead>
      <tr>
        <th scope="col">Token</th>
        <th scope="col">Ports</th>
        <th scope="col">Methods</th>
        <th scope="col">Made</th>
        <th scope="col">Last used</th>
        <th scope="col">Ends</th>
        <td></td>
      </tr>
    </thead>
    <tbody></tbody>
  </table>
  <form hidden>
    <h3>Make a token</h3>
    <div class="fields">
      <label>Ports <input name="ports" required pattern="[0-9]+([,\\s]+[0-9]+)*" placeholder="3000, 8080"></label>
      <label>Methods <input name="methods" placeholder="all, or GET, HEAD"></label>
      <label>Hours <input name="hours" type="number" required min="1" max="720" value="24"></label>
      <label>Note <input name="note" maxlength="200" placeholder="what it is for"></label>
    </div>
    <button>Make a token</button>
  </form>
</section>
<section id="names" aria-labelledby="names-title">
  <h2 id="names-title" tabindex="-1">Names</h2>
  <p>
    Addresses that stay when the sandbox behind them changes. A domain of your own leads here once its DNS says so.
  </p>
  <p role="status"></p>
  <table hidden>
    <thead>
      <tr>
        <th scope="col">Name</th>
        <th scope="col">Port</th>
        <th scope="col">State</th>
        <th scope="col">Its DNS must say</th>
        <td></td>
      </tr>
    </thead>
    <tbody></tbody>
  </table>
  <form hidden>
    <h3>Add a name</h3>
    <div class="fields">
      <label>Port <input name="port" type="number" required min="1" max="65535" placeholder="3000"></label>
      <label>Name <input name="host" required maxlength="253" autocapitalize="none" spellcheck="false"
          placeholder="shop.preview.example.com"></label>
    </div>
    <button>Add the name</button>
  </form>
</section>
<section id="embeds" aria-labelledby="embeds-title">
  <h2 id="embeds-title" tabindex="-1">Embeds</h2>
  <p>Pages elsewhere that may show a port in their frames; programs make these by the API.</p>
  <p role="status"></p>
  <table hidden>
    <thead>
      <tr>
        <th scope="col">Embed</th>
        <th scope="col">Port</th>
        <th scope="col">Pages</th>
        <th scope="col">Ends</th>
        <td></td>
      </tr>
    </thead>
    <tbody></tbody>
  </table>
</section>
`;
export default text;
