import type { InputMessage } from "./protocol.ts";

/** A page that does not react must not pile up what people do meanwhile. */
const mostPending = 100;

/** How many movements are on their way at once; those that come meanwhile become one. */
const mostMovesPending = 2;

type Wheel = Extract<InputMessage, { readonly type: "wheel" }>;

/**
 * Hands input on in order. Movements that a page cannot keep up with are joined, the rest is dropped
 * when too much of it waits.
 */
export class InputQueue {
  readonly #dispatch: (message: InputMessage) => Promise<unknown>;
  readonly #onOverflow: () => void;
  #pending = 0;
  #movesPending = 0;
  #held: InputMessage | null = null;

  /** `dispatch` resolves when the page has taken the input. `onOverflow` is told when some is dropped. */
  constructor(
    dispatch: (message: InputMessage) => Promise<unknown>,
    onOverflow: () => void = () => {},
  ) {
    this.#dispatch = dispatch;
    this.#onOverflow = onOverflow;
  }

  add(message: InputMessage): void {
    if (isMove(message) && this.#movesPending >= mostMovesPending) {
      this.#hold(message);
      return;
    }
    this.#flush();
    this.#hand(message);
  }

  #hold(message: InputMessage): void {
    const held = this.#held;
    if (held === null) this.#held = message;
    else if (held.type === "wheel" && message.type === "wheel") this.#held = joined(held, message);
    else if (held.type === message.type) this.#held = message;
    else {
      this.#flush();
      this.#held = message;
    }
  }

  #flush(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#hand(held);
  }

  #hand(message: InputMessage): void {
    if (this.#pending >= mostPending) {
      this.#onOverflow();
      return;
    }
    const move = isMove(message);
    this.#pending += 1;
    if (move) this.#movesPending += 1;
    const done = (): void => {
      this.#pending -= 1;
      if (!move) return;
      this.#movesPending -= 1;
      this.#flush();
    };
    // It fails where the tab is gone, and the input with it.
    this.#dispatch(message).then(done, done);
  }
}

function isMove(message: InputMessage): boolean {
  switch (message.type) {
    case "mouse":
    case "touch":
      return message.event === "move";
    case "wheel":
      return true;
    default:
      return false;
  }
}

function joined(first: Wheel, second: Wheel): Wheel {
  return { ...second, dx: first.dx + second.dx, dy: first.dy + second.dy };
}
