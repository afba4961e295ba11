import { useMemo } from "react";
import { Icon, type IconName } from "../ui/icon.tsx";
import type { Entry, EntryFilter, EntryKind } from "./entries.ts";

type FilterKind = Exclude<EntryKind, "session">;

const kinds: readonly {
  readonly kind: FilterKind;
  readonly name: string;
  readonly icon: IconName;
}[] = [
  { kind: "step", name: "Steps", icon: "step" },
  { kind: "network", name: "Network", icon: "network" },
  { kind: "console", name: "Console", icon: "console" },
];

export const everything: EntryFilter = {
  kinds: new Set(kinds.map(({ kind }) => kind)),
  onlyErrors: false,
  text: "",
};

interface TimelineFilterProps {
  readonly entries: readonly Entry[];
  readonly filter: EntryFilter;
  readonly onChange: (filter: EntryFilter) => void;
}

export function TimelineFilter({ entries, filter, onChange }: TimelineFilterProps) {
  const counts = useMemo(() => {
    const found = { step: 0, network: 0, console: 0, session: 0, errors: 0 };
    for (const { kind, isError } of entries) {
      found[kind] += 1;
      if (isError) found.errors += 1;
    }
    return found;
  }, [entries]);

  return (
    <search className="timeline-filter">
      <fieldset className="timeline-filter__kinds">
        <legend className="hidden">Show on the time line</legend>
        {kinds.map(({ kind, name, icon }) => (
          <button
            key={kind}
            type="button"
            className={`chip chip--${kind}`}
            aria-pressed={filter.kinds.has(kind)}
            onClick={() => onChange({ ...filter, kinds: toggled(filter.kinds, kind) })}
          >
            <Icon name={icon} />
            {name} <span className="chip__count">{counts[kind].toLocaleString()}</span>
          </button>
        ))}
        <button
          type="button"
          className="chip chip--error"
          aria-pressed={filter.onlyErrors}
          onClick={() => onChange({ ...filter, onlyErrors: !filter.onlyErrors })}
        >
          <Icon name="error" />
          Errors only <span className="chip__count">{counts.errors.toLocaleString()}</span>
        </button>
      </fieldset>
      <label className="search-field search-field--small">
        <Icon name="search" />
        <span className="hidden">Search the time line</span>
        <input
          type="search"
          className="input input--small"
          placeholder="Search the time line…"
          value={filter.text}
          onChange={(event) => onChange({ ...filter, text: event.target.value })}
        />
      </label>
    </search>
  );
}

function toggled(before: ReadonlySet<EntryKind>, kind: EntryKind): ReadonlySet<EntryKind> {
  const after = new Set(before);
  if (!after.delete(kind)) after.add(kind);
  return after;
}
