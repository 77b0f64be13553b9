/** Generated from src/pages/docs_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<h1>{title}</h1>
<p>Previews are at <code>{port}-{sandbox}.{domain}</code>; every path there belongs to the app.</p>
<ul>
  <li><a href="#errors">Error codes</a></li>
  <li><a href="#routes">The gateway’s own routes</a>, on its base domain; machine-readable: <a href="/openapi.json">/openapi.json</a></li>
  <li><a href="/docs/apps">What apps receive</a></li>
</ul>
<h2 id="errors">Error codes</h2>
<p>Error responses of the gateway itself, as opposed to the app’s, have one of these codes in
<code>X-Porthole-Error</code>. Their body is <code>application/problem+json</code>, or a page for browsers.</p>
<table>
  <thead>
    <tr>
      <th>Code</th>
      <th>Status</th>
      <th>Meaning</th>
    </tr>
  </thead>
  <tbody>
{codes}
  </tbody>
</table>
<h2 id="routes">Routes</h2>
<table>
  <thead>
    <tr>
      <th>Route</th>
      <th>What it does</th>
    </tr>
  </thead>
  <tbody>
{routes}
  </tbody>
</table>
`;
export default text;
