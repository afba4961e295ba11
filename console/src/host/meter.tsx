interface MeterPart {
  readonly name: string;
  readonly value: number;
  readonly tone: "accent" | "teal" | "faint";
}

interface MeterProps {
  readonly label: string;
  readonly total: number;
  /** What the bar says, in words. */
  readonly text: string;
  readonly parts: readonly MeterPart[];
  /** Names the parts below the bar. */
  readonly isListed?: boolean;
  readonly format?: (value: number) => string;
}

/** How much of something is in use, and by what. */
export function Meter({
  label,
  total,
  text,
  parts,
  isListed = false,
  format = String,
}: MeterProps) {
  const used = parts.reduce((sum, { value }) => sum + value, 0);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element cannot show its parts */}
      <div
        className="meter"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={Math.min(total, used)}
        aria-valuetext={text}
      >
        {parts.map(({ name, value, tone }) => (
          <span
            key={name}
            className={`meter__part meter__part--${tone}`}
            style={{ width: `${Math.min(100, (100 * value) / Math.max(1, total))}%` }}
          />
        ))}
      </div>
      {isListed && (
        <ul className="meter-legend">
          {parts.map(({ name, value, tone }) => (
            <li key={name}>
              <span className={`meter-legend__dot meter__part--${tone}`} aria-hidden="true" />
              {name} <strong>{format(value)}</strong>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
