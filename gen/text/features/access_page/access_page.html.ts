/** Generated from src/features/access_page/access_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Porthole</p>
<h1>Access to <span class="name">{name}</span></h1>
<p id="state" role="status">This page needs JavaScript.</p>
<h2 id="title" tabindex="-1">Tokens</h2>
<p>
  For programs that cannot log in: jobs, webhooks, tests. A token opens the ports that it names, and nothing else.
</p>
<section id="made" hidden>
  <h3 tabindex="-1">The new token, which is shown only now</h3>
  <pre class="prose" tabindex="0"></pre><button>Copy the token</button>
  <h3>Its use</h3><pre class="prose" tabindex="0"></pre><button>Copy the command</button>
  <p>Keep it as you keep passwords: whoever has it may use it.</p>
</section>
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
  <tbody id="rows"></tbody>
</table>
<template>
  <tr>
    <td data-label="Token"></td>
    <td data-label="Ports"></td>
    <td data-label="Methods"></td>
    <td data-label="Made"></td>
    <td data-label="Last used"></td>
    <td data-label="Ends"></td>
    <td><button class="quiet">Revoke</button></td>
  </tr>
</template>
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
`;
export default text;
