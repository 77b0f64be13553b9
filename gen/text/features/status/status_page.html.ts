/** Generated from src/features/status/status_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<div class="head">
  <h1>Gateway <span class="name" id="host"></span></h1>
  <p><span id="version"></span> · <span id="live" role="status">connecting</span> · <a href="metrics">metrics</a></p>
</div>
<noscript><p>This page needs JavaScript. The same numbers are at <a href="metrics">/metrics</a>.</p></noscript>
<ul class="checks" id="checks" aria-label="Checks"></ul>
<div class="grid" id="charts"></div>
<div class="halves">
{sections}
</div>
<section>
  <h2>What went wrong last</h2>
  <ul class="troubles" id="troubles"></ul>
</section>
`;
export default text;
