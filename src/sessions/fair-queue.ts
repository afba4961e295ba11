/**
 * Who waits, by tenant: within a tenant first come, first served; between tenants one after the
 * other, so that one who sends a hundred requests waits no shorter than one who sends a single one.
 */
export class FairQueue<T> {
  /** By tenant, in the order of their turns; a tenant that was served goes to the end. */
  readonly #lines = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(tenantId: string, item: T): void {
    const line = this.#lines.get(tenantId);
    if (line === undefined) this.#lines.set(tenantId, [item]);
    else line.push(item);
    this.#size += 1;
  }

  /** False when it was not there. */
  remove(tenantId: string, item: T): boolean {
    const line = this.#lines.get(tenantId);
    const index = line?.indexOf(item) ?? -1;
    if (line === undefined || index === -1) return false;
    line.splice(index, 1);
    this.#size -= 1;
    if (line.length === 0) this.#lines.delete(tenantId);
    return true;
  }

  has(tenantId: string, item: T): boolean {
    return this.#lines.get(tenantId)?.includes(item) === true;
  }

  /** A tenant was served: its next turn is after everyone else's. */
  endTurn(tenantId: string): void {
    const line = this.#lines.get(tenantId);
    if (line === undefined) return;
    this.#lines.delete(tenantId);
    this.#lines.set(tenantId, line);
  }

  /** Everyone who waits, a copy: the first of each tenant, then the second of each, and so on. */
  inTurn(): readonly T[] {
    const lines = [...this.#lines.values()];
    const longest = Math.max(0, ...lines.map((line) => line.length));
    return Array.from({ length: longest }, (_, place) =>
      lines.flatMap((line) => line.slice(place, place + 1)),
    ).flat();
  }

  /** The last of the tenant that has most waiting, the one to be turned away when there are too many. */
  lastOfLongest(): T | undefined {
    let longest: readonly T[] = [];
    // Of equals the one whose turn comes last.
    for (const line of this.#lines.values()) if (line.length >= longest.length) longest = line;
    return longest.at(-1);
  }
}
