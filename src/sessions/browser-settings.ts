/** The browser builds that a request may name. All run on the Chromium that the host found. */
export const browserTypes = ["chromium", "chrome", "chrome-nightly", "chrome-turbo"] as const;
export type BrowserType = (typeof browserTypes)[number];

export const screenshotTypes = ["raw", "full", "last_action"] as const;
export type ScreenshotType = (typeof screenshotTypes)[number];

export interface Viewport {
  /** CSS pixels. */
  readonly width: number;
  /** CSS pixels. */
  readonly height: number;
}

/** Another proxy that a session's traffic goes through. */
export type ProxySettings =
  /** The operator's. */
  | { readonly kind: "default" }
  | {
      readonly kind: "external";
      /** URL of the proxy, e.g. `socks5://proxy.example.com:1080`. */
      readonly server: string;
      readonly username: string | null;
      /** Null in a session's record: it is kept with what finds the browser again, while there is one. */
      readonly password: string | null;
      /** Patterns of hosts that are reached without it. */
      readonly bypass: readonly string[];
    };

/** What a session asks of its browser. Stored with the session, so it must stay plain JSON. */
export interface BrowserSettings {
  readonly browserType: BrowserType;
  readonly headless: boolean;
  /** Null leaves the browser's own. */
  readonly userAgent: string | null;
  /** Extra command line arguments, already checked against the allow-list. */
  readonly chromeArgs: readonly string[];
  readonly viewport: Viewport | null;
  readonly extraHttpHeaders: Readonly<Record<string, string>>;
  readonly screenshotType: ScreenshotType;
  /** Whether what its pages download is kept. */
  readonly useFileStorage: boolean;
  /** Whether what its pages show, request and log is kept. */
  readonly recording: boolean;
  /** Whether the texts that its pages are answered are kept with it. */
  readonly recordBodies: boolean;
  /** Null sends its traffic straight to where it goes. */
  readonly proxy: ProxySettings | null;
  /** A CDP URL of a browser elsewhere to attach to, instead of one of ours. */
  readonly attachUrl: string | null;
}

/** What a start asks for. */
export interface AskedSettings extends Omit<BrowserSettings, "recording"> {
  /** Null: as the operator has it. */
  readonly recording: boolean | null;
}

/** The page size of a browser that was not asked for another one, as the Notte library has it. */
export const defaultViewport: Viewport = { width: 1280, height: 1080 };

export const defaultBrowserSettings: BrowserSettings = {
  browserType: "chromium",
  headless: true,
  userAgent: null,
  chromeArgs: [],
  viewport: null,
  extraHttpHeaders: {},
  screenshotType: "last_action",
  useFileStorage: true,
  recording: true,
  recordBodies: false,
  proxy: null,
  attachUrl: null,
};

/** The settings as a session's record has them. */
export function withoutProxyPassword(settings: BrowserSettings): BrowserSettings {
  if (settings.proxy?.kind !== "external") return settings;
  return { ...settings, proxy: { ...settings.proxy, password: null } };
}
