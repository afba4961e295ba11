import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const outDir = join(import.meta.dirname, "..", "dist", "console");

/** Where `npm run dev -w console` finds the API. */
const server = process.env["NIGHTJAR_URL"] ?? "http://127.0.0.1:7777";

export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  plugins: [react(), compressed()],
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2023",
    // The console loads as one: every font and icon is a file of this server's.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    port: 5177,
    // Everything that is not the console is the API.
    proxy: { "^/(?!console(/|$))": { target: server, ws: true } },
  },
});

/** Writes each text file a second and third time, compressed: the server sends these as they are. */
function compressed(): Plugin {
  return {
    name: "nightjar-compressed",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(outDir, { withFileTypes: true, recursive: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(content));
      }
    },
  };
}
