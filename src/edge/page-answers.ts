import type { ActionResult } from "../pages/actions/action.ts";
import type { ScrapeResult } from "../pages/scrape/scrape-result.ts";
import type { ActionBody } from "./action-schemas.ts";
import { echoOf } from "./action-wire.ts";
import { wireTime } from "./wire-time.ts";

/** What a scrape brings, as the contract's DataSpace. */
export function toDataSpace(result: ActionDataLike) {
  const { structured } = result;
  return {
    markdown: result.markdown,
    images: result.images as never,
    structured:
      structured === null
        ? null
        : structured.success
          ? { success: true, error: null, data: structured.data }
          : { success: false, error: structured.error, data: null },
    ...("links" in result && { links: result.links, truncated: result.isTruncated }),
  };
}

type ActionDataLike = ScrapeResult | NonNullable<ActionResult["data"]>;

/** What came of an action, as the contract has it: a failed one has a text in `exception`. */
export function toExecutionAnswer(body: ActionBody, result: ActionResult) {
  const { effects, failure } = result;
  return {
    started_at: wireTime(result.startedAt),
    ended_at: wireTime(result.endedAt),
    action: echoOf(body),
    success: result.success,
    message: result.message,
    data: result.data === null ? null : toDataSpace(result.data),
    exception: failure === null ? null : failure.message,
    failure_kind: failure?.kind ?? null,
    effects: {
      navigated_to: effects.navigatedTo,
      opened_tabs: [...effects.openedTabs],
      closed_tabs: effects.closedTabs,
      dialogs: effects.dialogs.map((dialog) => ({ ...dialog })),
      downloads: [...effects.downloads],
      changed: effects.changed,
    },
  };
}
