/** The bird before the moon. Decoration: the name stands beside it. */
export function Mark({ className }: { readonly className?: string }) {
  return (
    <svg
      className={className}
      viewBox="0 0 32 32"
      width="32"
      height="32"
      aria-hidden="true"
      focusable="false"
    >
      <circle className="mark__moon" cx="16" cy="16" r="12" />
      <path
        className="mark__bird"
        d="M1.5 12.6C6.6 8.6 12.2 9.6 15 13.4L16 12.2L17 13.4C19.8 9.6 25.4 8.6 30.5 12.6C25.4 12.4 21.3 14.6 18.7 18.6L17.9 26.4L16 24.2L14.1 26.4L13.3 18.6C10.7 14.6 6.6 12.4 1.5 12.6Z"
      />
    </svg>
  );
}
