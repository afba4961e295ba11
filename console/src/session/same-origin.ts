/**
 * A URL of the server's as a path on the address that the console was loaded from. The server makes
 * its URLs from the address that it is configured with, and a person may have come by another one.
 */
export function onThisOrigin(url: string): string {
  const parsed = URL.parse(url, location.origin);
  return parsed === null ? url : `${parsed.pathname}${parsed.search}${parsed.hash}`;
}
