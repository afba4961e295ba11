import { useEffect, useEffectEvent, useId, useState } from "react";
import type { SessionFilter } from "../api/queries.ts";
import type { SessionStatus } from "../api/types.ts";
import { Icon } from "../ui/icon.tsx";
import { statusNames } from "./end-words.ts";

const choices: readonly (readonly [SessionStatus | null, string])[] = [
  [null, "All"],
  ...(Object.entries(statusNames) as [SessionStatus, string][]),
];

/** From the last key to the search, in ms. */
const typingPauseMs = 250;

interface SessionFiltersProps {
  readonly filter: SessionFilter;
  readonly onChange: (filter: SessionFilter) => void;
}

export function SessionFilters({ filter, onChange }: SessionFiltersProps) {
  const [text, setText] = useState(filter.search);
  const [shown, setShown] = useState(filter.search);
  const group = useId();

  // The address changed by other means: back, forward, "show all".
  if (shown !== filter.search) {
    setShown(filter.search);
    setText(filter.search);
  }

  const search = useEffectEvent((given: string) => {
    if (given === filter.search) return;
    setShown(given);
    onChange({ ...filter, search: given, page: 1 });
  });
  useEffect(() => {
    const timer = setTimeout(() => search(text.trim()), typingPauseMs);
    return () => clearTimeout(timer);
  }, [text]);

  return (
    <search className="session-filters">
      <fieldset className="segments">
        <legend className="hidden">State</legend>
        {choices.map(([status, name]) => (
          <label key={name} className="segments__option">
            <input
              type="radio"
              className="hidden"
              name={group}
              checked={filter.status === status}
              onChange={() => onChange({ ...filter, status, page: 1 })}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <label className="search-field">
        <Icon name="search" />
        <span className="hidden">Search sessions</span>
        <input
          type="search"
          className="input"
          placeholder="Id, end reason, error…"
          maxLength={200}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
    </search>
  );
}
