/**
 * The direction of imports, as docs/architecture.md states it: folder by folder, what it may import
 * besides itself. `main.ts` and `cli/` compose and may import everything; nothing imports them.
 */
const allowed = {
  sessions: [],
  store: ["sessions", "pages", "profiles", "recording"],
  install: [],
  browsers: ["sessions", "install"],
  host: ["sessions"],
  "in-page": ["pages", "profiles"],
  pages: ["sessions"],
  profiles: ["sessions", "pages"],
  storage: ["sessions"],
  recording: ["sessions", "install"],
  events: ["sessions", "pages", "recording"],
  live: ["sessions", "pages", "recording"],
  viewer: ["live"],
  models: ["sessions", "pages"],
  metrics: [],
  doctor: ["sessions", "browsers", "host", "recording", "store"],
  tracing: ["sessions"],
  edge: ["sessions", "pages", "recording", "events", "live", "profiles", "storage"],
};

/** The same for the console's own folders; app.tsx and main.tsx compose them. */
const allowedInConsole = {
  ui: ["api"],
  api: [],
  shell: ["ui"],
  "sign-in": ["api", "shell", "ui"],
  sessions: ["api", "shell", "ui"],
  timeline: ["api", "sessions", "ui"],
  session: ["api", "sessions", "shell", "timeline", "ui"],
  keys: ["api", "shell", "ui"],
  host: ["api", "shell", "ui"],
};

const shared = "^src/(config|logger|log-scope)\\.ts$";

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
    {
      name: "the-console-talks-only-http",
      comment: "console/ and src/ share nothing but the API",
      severity: "error",
      from: { path: "^(console|src)/" },
      to: { path: "^(console|src)/", pathNot: "^$1/" },
    },
    {
      name: "nothing-imports-the-console-s-root",
      severity: "error",
      from: { path: "^console/src/", pathNot: "^console/src/main\\.tsx$" },
      to: { path: "^console/src/(main|app)\\.tsx$" },
    },
    ...Object.entries(allowedInConsole).map(([folder, others]) => ({
      name: `console-${folder}-imports`,
      comment: `console/src/${folder} may import only ${[folder, ...others].join(", ")}`,
      severity: "error",
      from: { path: `^console/src/${folder}/`, pathNot: "\\.test\\.ts$" },
      to: {
        path: "^console/src/",
        pathNot: `^console/src/(${[folder, ...others].join("|")})/`,
      },
    })),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    parser: "swc",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types"],
      extensions: [".ts", ".tsx", ".js"],
    },
  },
};
