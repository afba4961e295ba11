import type { ProtocolMapping } from "devtools-protocol/types/protocol-mapping.js";
import type { InputMessage } from "./protocol.ts";

type Commands = ProtocolMapping.Commands;

type InputMethod =
  | "Input.dispatchMouseEvent"
  | "Input.dispatchTouchEvent"
  | "Input.dispatchKeyEvent"
  | "Input.insertText"
  | "Input.imeSetComposition";

/** A CDP command that does to a page what a viewer did to its picture. */
export type InputCommand = {
  readonly [M in InputMethod]: {
    readonly method: M;
    readonly params: Commands[M]["paramsType"][0];
  };
}[InputMethod];

export function toInputCommand(message: InputMessage): InputCommand {
  switch (message.type) {
    case "mouse": {
      const { event, x, y, button, buttons, clicks, modifiers } = message;
      return {
        method: "Input.dispatchMouseEvent",
        params: { type: mouseTypes[event], x, y, button, buttons, clickCount: clicks, modifiers },
      };
    }
    case "wheel": {
      const { x, y, dx, dy, modifiers } = message;
      return {
        method: "Input.dispatchMouseEvent",
        params: { type: "mouseWheel", x, y, deltaX: dx, deltaY: dy, modifiers },
      };
    }
    case "touch": {
      const { event, points, modifiers } = message;
      return {
        method: "Input.dispatchTouchEvent",
        params: {
          type: touchTypes[event],
          touchPoints: points.map(({ id, x, y }) => ({ id, x, y })),
          modifiers,
        },
      };
    }
    case "key":
      return { method: "Input.dispatchKeyEvent", params: keyParams(message) };
    case "text":
      return { method: "Input.insertText", params: { text: message.text } };
    case "compose": {
      const { text, start, end } = message;
      return {
        method: "Input.imeSetComposition",
        params: { text, selectionStart: start, selectionEnd: end },
      };
    }
  }
}

const mouseTypes = { move: "mouseMoved", down: "mousePressed", up: "mouseReleased" } as const;

const touchTypes = {
  start: "touchStart",
  move: "touchMove",
  end: "touchEnd",
  cancel: "touchCancel",
} as const;

/** `KeyboardEvent.DOM_KEY_LOCATION_NUMPAD`. */
const numpad = 3;

function keyParams(message: Extract<InputMessage, { readonly type: "key" }>) {
  const { event, key, code, keyCode, text, location, repeat, modifiers } = message;
  return {
    // A key that types nothing must not be followed by the event of its character.
    type: event === "up" ? "keyUp" : text === "" ? "rawKeyDown" : "keyDown",
    key,
    code,
    windowsVirtualKeyCode: keyCode,
    ...(text === "" ? {} : { text, unmodifiedText: text }),
    location: location === numpad ? 0 : location,
    isKeypad: location === numpad,
    autoRepeat: repeat,
    modifiers,
  } as const;
}
