/** What a page is shown whose server the policy refuses. */
export function refusalPage(message: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Refused by Nightjar</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 36rem; margin: 15vh auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; }
</style>
</head>
<body>
<main>
<h1>This server does not let the session connect there</h1>
<p>${escaped(sentence(message))}</p>
</main>
</body>
</html>
`;
}

/** Headers of every refusal: nothing of it is kept, run or framed as somebody else's. */
export const refusalHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *",
  "x-content-type-options": "nosniff",
};

/** Half a sentence as a whole one. */
export function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
