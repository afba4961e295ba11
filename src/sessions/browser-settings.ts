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
  attachUrl: null,
};
