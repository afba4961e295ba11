/**
 * The direction of imports, as docs/architecture.md states it: folder by folder, what it may import
 * besides itself. `main.ts` and `cli/` compose and may import everything; nothing imports them.
 */
const allowed = {
  sessions: [],
  store: ["sessions", "pages", "recording"],
  install: [],
  browsers: ["sessions", "install"],
  "in-page": ["pages"],
  pages: ["sessions"],
  storage: ["sessions"],
  recording: ["sessions", "install"],
  events: ["sessions", "pages", "recording"],
  models: ["sessions", "pages"],
  edge: ["sessions", "pages", "recording", "events", "storage"],
};

const shared = "^src/(config|logger)\\.ts$";

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "nothing-imports-the-composition-root",
      severity: "error",
      from: { pathNot: "^src/(main\\.ts|cli/)" },
      to: { path: "^src/(main\\.ts|cli/)" },
    },
    {
      name: "the-domain-is-pure",
      comment:
        "sessions/ knows no wire and no Chromium: only node:crypto, and the type of a byte stream, from outside",
      severity: "error",
      from: { path: "^src/sessions/", pathNot: "\\.test\\.ts$" },
      to: { pathNot: "^src/sessions/|^(node:)?(crypto|stream)$" },
    },
    ...Object.entries(allowed).map(([folder, others]) => ({
      name: `${folder}-imports`,
      comment: `src/${folder} may import only ${[folder, ...others].join(", ")} and the shared files`,
      severity: "error",
      from: { path: `^src/${folder}/`, pathNot: "\\.test\\.ts$" },
      to: { path: "^src/", pathNot: [`^src/(${[folder, ...others].join("|")})/`, shared] },
    })),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    parser: "swc",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types"],
      extensions: [".ts", ".js"],
    },
  },
};
