const name = "nightjar.key";

/**
 * Where the API key is kept between page loads: for this tab, or on this device where the person
 * asked for that. Never in a URL, a cookie or a log.
 */
export function readStoredKey(): string | null {
  try {
    return sessionStorage.getItem(name) ?? localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function storeKey(key: string, remember: boolean): void {
  forgetKey();
  try {
    (remember ? localStorage : sessionStorage).setItem(name, key);
  } catch {
    // Storage is off: the key lasts until the page is left.
  }
}

export function forgetKey(): void {
  try {
    sessionStorage.removeItem(name);
    localStorage.removeItem(name);
  } catch {
    // Storage is off: nothing was kept.
  }
}
