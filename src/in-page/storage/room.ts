/** Thrown for what takes more than it may. */
export class TooLarge extends Error {}

/** Counts what is read against what there is room for, in characters of JSON. */
export class Room {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  get left(): number {
    return this.#left;
  }

  /** Throws `TooLarge`, with nothing taken. */
  take(size: number): void {
    if (size > this.#left) throw new TooLarge("too large");
    this.#left -= size;
  }

  giveBack(size: number): void {
    this.#left += size;
  }
}
