/** Generated from src/features/embeds/embed_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<h1>Opening the preview</h1>
<p id="detail" role="status">This page needs JavaScript.</p>
<p id="hint"></p>
<p hidden>
  <a class="button" href="/" target="_blank"
    rel="noopener">Open it in a new tab</a>
</p>
`;
export default text;
