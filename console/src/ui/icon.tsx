/** Line icons on a grid of 16, drawn for the console. Decoration: what they mean is said in words. */
const paths = {
  sessions: "M2 3.5h12v9H2zM2 6h12M4 4.75h.01M6 4.75h.01",
  key: "M8.3 10.5a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0ZM7.5 8.5l6-6M11 5l2 2",
  host: "M2.5 2.5h11v4h-11zM2.5 9.5h11v4h-11zM5 4.5h.01M5 11.5h.01",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13.5 9.7A5.8 5.8 0 0 1 6.3 2.5a5.8 5.8 0 1 0 7.2 7.2Z",
  auto: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 2.2v11.6M10 4v8M12 6v4",
  exit: "M9.5 2.5h-6v11h6M7 8h7M11.5 5.5 14 8l-2.5 2.5",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2",
  close: "M4 4l8 8M12 4l-8 8",
  back: "M9.5 3 4.5 8l5 5",
  next: "M6.5 3l5 5-5 5",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5 6.5 12 13 4.5",
  stop: "M4 4h8v8H4z",
  play: "M5 3v10l8-5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  download: "M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M3 13.5h10",
  reload: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5l-4.5 4.5M2.5 13.5 7 9",
  step: "M4 2.5l8.5 5-3.7 1-1.3 4z",
  network: "M2.5 6h10M10 3.3 12.7 6 10 8.7M13.5 11h-10M6 8.6 3.3 11.2 6 13.8",
  console: "M2.5 4 6 8l-3.5 4M8 12.5h5.5",
  error: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01",
  clock: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 4.8V8l2.3 1.5",
  eye: "M1.5 8s2.4-4.3 6.5-4.3S14.5 8 14.5 8s-2.4 4.3-6.5 4.3S1.5 8 1.5 8ZM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6",
  "eye-off":
    "M2.5 2.5l11 11M6.2 4a6.5 6.5 0 0 1 1.8-.3c4.1 0 6.5 4.3 6.5 4.3a11 11 0 0 1-1.9 2.4M4 5.3A11 11 0 0 0 1.5 8S3.9 12.3 8 12.3a6.2 6.2 0 0 0 2.5-.5",
  film: "M2.5 3h11v10h-11zM5.5 3v10M10.5 3v10M2.5 6.3h3M2.5 9.7h3M10.5 6.3h3M10.5 9.7h3",
  dot: "M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  code: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5",
  info: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 7.3v3.7M8 5h.01",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9",
  start: "M3 8h10M9.5 4.5 13 8l-3.5 3.5",
} as const;

export type IconName = keyof typeof paths;

interface IconProps {
  readonly name: IconName;
  readonly className?: string;
}

export function Icon({ name, className = "" }: IconProps) {
  return (
    <svg
      className={`icon ${className}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
