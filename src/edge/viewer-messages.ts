import { z } from "zod";
import type { ViewerMessage } from "../live/protocol.ts";

/** The largest message of a viewer, e.g. a text that is pasted, in bytes. */
export const largestViewerMessage = 1024 * 1024;

const tab = z
  .int()
  .min(1)
  .max(2 ** 31);
const coordinate = z.number().min(-100_000).max(100_000);
const delta = z.number().min(-100_000).max(100_000);
const modifiers = z.int().min(0).max(15);

const schema: z.ZodType<ViewerMessage> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("mouse"),
    event: z.enum(["move", "down", "up"]),
    tab,
    x: coordinate,
    y: coordinate,
    button: z.enum(["none", "left", "middle", "right", "back", "forward"]),
    buttons: z.int().min(0).max(31),
    clicks: z.int().min(0).max(3),
    modifiers,
  }),
  z.object({
    type: z.literal("wheel"),
    tab,
    x: coordinate,
    y: coordinate,
    dx: delta,
    dy: delta,
    modifiers,
  }),
  z.object({
    type: z.literal("touch"),
    event: z.enum(["start", "move", "end", "cancel"]),
    tab,
    points: z
      .array(
        z.object({
          id: z
            .int()
            .min(0)
            .max(2 ** 31),
          x: coordinate,
          y: coordinate,
        }),
      )
      .max(10),
    modifiers,
  }),
  z.object({
    type: z.literal("key"),
    event: z.enum(["down", "up"]),
    key: z.string().max(50),
    code: z.string().max(50),
    keyCode: z.int().min(0).max(255),
    text: z.string().max(10),
    location: z.int().min(0).max(3),
    repeat: z.boolean(),
    modifiers,
  }),
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({
    type: z.literal("compose"),
    text: z.string().max(10_000),
    start: z.int().min(0).max(10_000),
    end: z.int().min(0).max(10_000),
  }),
  z.object({ type: z.literal("shown"), number: z.int().min(0) }),
  z.object({ type: z.literal("watch"), tab: tab.nullable() }),
  z.object({ type: z.literal("control"), take: z.boolean() }),
  z.object({ type: z.literal("go"), to: z.enum(["back", "forward", "reload", "stop"]) }),
  z.object({ type: z.literal("open"), url: z.string().max(100_000) }),
  z.object({ type: z.literal("new_tab") }),
  z.object({ type: z.literal("close_tab"), tab }),
  z.object({ type: z.literal("copy"), cut: z.boolean() }),
  z.object({ type: z.literal("dialog"), accept: z.boolean(), text: z.string().max(100_000) }),
  z.object({ type: z.literal("choose"), index: z.int().min(0).nullable() }),
]);

/** Reads a message of a viewer; null for what is none. */
export function toViewerMessage(text: string): ViewerMessage | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
