const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** `1.2 MB`; decimal units, as in networks and on disks. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return withRest(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86_400) {
    return withRest(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  }
  return withRest(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3600), "h");
}

function withRest(main: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${main} ${unit}` : `${main} ${unit} ${rest} ${restUnit}`;
}

/** A place on a time line: `0:07`, `12:45`, `1:02:03`. */
export function formatClock(ms: number): string {
  const sign = ms < 0 ? "−" : "";
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  const end = two(seconds % 60);
  return hours > 0 ? `${sign}${hours}:${two(minutes)}:${end}` : `${sign}${minutes}:${end}`;
}

const dateAndTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
});
const timeOnly = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

/** As `formatClock`, to the tenth of a second: `0:07.4`. */
export function formatMoment(ms: number): string {
  return `${formatClock(ms)}.${Math.floor((Math.abs(ms) % 1000) / 100)}`;
}

/** In full, for tooltips. */
export function formatTime(time: string | number): string {
  return dateAndTime.format(new Date(time));
}

/** As short as it stays clear: today by its time, other days with their date. */
export function formatShortTime(time: string | number, now = Date.now()): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date(now).toDateString();
  return (isToday ? timeOnly : dayAndTime).format(date);
}

/** The beginning of a session's id: enough for people to tell sessions apart. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** `1 session`, `2 sessions`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}
