/** The token of a URL. Some clients append `?x=y` to a URL that has a query already. */
export function tokenIn(query: URLSearchParams): string {
  return (query.get("token") ?? "").split("?", 1)[0] ?? "";
}
