import { summarize } from "./statistics.ts";

/** A number that was read now and then. */
export type Reading = readonly [atSeconds: number, value: number];

/** How much it grew from the second quarter of the run to the last, as medians. */
export function growth(readings: readonly Reading[]): {
  readonly from: number;
  readonly to: number;
} {
  const quarter = Math.max(1, Math.floor(readings.length / 4));
  const median = (part: readonly Reading[]) => summarize(part.map(([, value]) => value)).p50;
  return {
    from: median(readings.slice(quarter, 2 * quarter)),
    to: median(readings.slice(-quarter)),
  };
}

/**
 * How much it rose in the second half of the run by the line that fits it best, and how far single
 * readings are from that line (standard deviation).
 */
export function trend(readings: readonly Reading[]): {
  readonly rise: number;
  readonly noise: number;
} {
  const half = readings.slice(Math.floor(readings.length / 2));
  const times = half.map(([at]) => at);
  const values = half.map(([, value]) => value);
  const [meanTime, meanValue] = [mean(times), mean(values)];
  const spread = mean(times.map((time) => (time - meanTime) ** 2));
  const together = mean(
    times.map((time, index) => (time - meanTime) * ((values[index] ?? 0) - meanValue)),
  );
  const slope = spread === 0 ? 0 : together / spread;
  const off = times.map(
    (time, index) => (values[index] ?? 0) - meanValue - slope * (time - meanTime),
  );
  return {
    rise: slope * ((times.at(-1) ?? 0) - (times[0] ?? 0)),
    noise: Math.sqrt(mean(off.map((value) => value ** 2))),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
