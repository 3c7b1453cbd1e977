import { type Hole, html, type Safe } from '../../../login/html.ts';

/** The frame of every page. `aside` stands at the right end of the header. */
export function layout(page: { readonly title: string; readonly aside?: Hole; readonly body: Safe }): Safe {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · Limen demo</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header class="bar">
<a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28"> Demo application</a>
${page.aside}
</header>
<main>
${page.body}
</main>
</body>
</html>
`;
}
