/** Generated from src/features/shares/share_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<h1>A preview was shared with you</h1>
<p role="status">This page needs JavaScript.</p>
`;
export default text;
