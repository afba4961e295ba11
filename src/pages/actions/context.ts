import type { DrivenPage } from "../driver/driven-page.ts";
import type { PageDriver } from "../driver/page-driver.ts";
import type { ElementDirectory } from "../elements.ts";
import type { PageElement } from "../observe/observation.ts";
import type { ActionData, ActionWay, FilledField, ScrapeRequest } from "./action.ts";
import type { Activity } from "./activity.ts";
import type { ChangeWatch } from "./change-watch.ts";
import type { SessionFiles } from "./ports.ts";

/** What actions work with. */
export interface ActionTools {
  readonly driver: PageDriver;
  readonly elements: ElementDirectory;
  readonly files: SessionFiles;
  /** What there is to operate on the active tab now. */
  readonly look: (signal: AbortSignal) => Promise<readonly PageElement[]>;
  readonly scrape: (
    page: DrivenPage,
    request: ScrapeRequest,
    signal: AbortSignal,
  ) => Promise<ActionData>;
}

/** What one action works with. */
export interface ActionContext extends ActionTools {
  /** The tab that was active when the action began. */
  readonly page: DrivenPage;
  readonly activity: Activity;
  readonly changes: ChangeWatch;
  readonly signal: AbortSignal;
}

/** What an action did, as it tells it itself. */
export interface Done {
  /** One sentence. */
  readonly message: string;
  /** What is to be said besides once the page has come to rest; null for nothing. */
  readonly whenSettled?: () => Promise<string | null>;
  readonly data?: ActionData;
  readonly elementId?: string | null;
  readonly filled?: readonly FilledField[];
  readonly way?: ActionWay;
}
