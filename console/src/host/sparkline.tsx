const width = 200;
const height = 32;

interface SparklineProps {
  /** Oldest first. */
  readonly values: readonly number[];
  /** What the full height means; null leaves some room above the values. */
  readonly max: number | null;
}

/** The last two minutes as a line. Decoration: the number beside it says what counts. */
export function Sparkline({ values, max }: SparklineProps) {
  const top = max ?? Math.max(3, 1.5 * Math.max(...values));
  const points = values.map((value, index) => {
    const x = values.length < 2 ? width : (index / (values.length - 1)) * width;
    return `${x.toFixed(1)} ${(height - 2 - (Math.min(value, top) / top) * (height - 4)).toFixed(1)}`;
  });
  const line =
    points.length < 2 ? `M0 ${points[0]?.split(" ")[1]}H${width}` : `M${points.join("L")}`;
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path className="sparkline__area" d={`${line}V${height}H0Z`} />
      <path className="sparkline__line" d={line} />
    </svg>
  );
}
