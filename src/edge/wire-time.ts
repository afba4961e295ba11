/** RFC 3339 in UTC with its offset written out. */
export function wireTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "+00:00");
}

/** An ISO 8601 duration in seconds, as pydantic writes it: `PT12.5S`. */
export function wireDuration(ms: number): string {
  return `PT${ms / 1000}S`;
}
