/**
 * Bundles what runs inside pages: each folder of src/in-page becomes one script in dist/in-page,
 * an expression whose value is what the folder's index.ts exports. And the page of the live view:
 * src/viewer becomes a module, beside its HTML and CSS, in dist/viewer.
 */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src", "in-page");

for (const entry of readdirSync(source, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const bundle = await rolldown({
    input: join(source, entry.name, "index.ts"),
    platform: "browser",
    tsconfig: join(root, "tsconfig.in-page.json"),
  });
  await bundle.write({
    file: join(root, "dist", "in-page", `${entry.name}.js`),
    format: "iife",
    // A script's value is that of its last statement: the assignment's.
    name: "nightjarBundle",
    minify: true,
    exports: "named",
    comments: false,
  });
  await bundle.close();
}

const viewer = join(root, "dist", "viewer");
mkdirSync(viewer, { recursive: true });
const bundle = await rolldown({
  input: join(root, "src", "viewer", "index.ts"),
  platform: "browser",
  tsconfig: join(root, "tsconfig.in-page.json"),
});
await bundle.write({
  file: join(viewer, "viewer.js"),
  format: "esm",
  minify: true,
  comments: false,
});
await bundle.close();
for (const name of ["viewer.html", "viewer.css"]) {
  copyFileSync(join(root, "src", "viewer", name), join(viewer, name));
}
