import { useId } from "react";
import { Icon } from "../ui/icon.tsx";
import { chooseTheme, type Theme, themes, useTheme } from "./theme.ts";

const labels: Readonly<Record<Theme, string>> = {
  system: "As the system",
  light: "Light",
  dark: "Dark",
};
const icons = { system: "auto", light: "sun", dark: "moon" } as const;

export function ThemeChoice() {
  const theme = useTheme();
  const group = useId();
  return (
    <fieldset className="theme-choice">
      <legend className="hidden">Colours</legend>
      {themes.map((choice) => (
        <label key={choice} className="theme-choice__option" title={labels[choice]}>
          <input
            type="radio"
            className="hidden"
            name={group}
            value={choice}
            checked={theme === choice}
            onChange={() => chooseTheme(choice)}
          />
          <Icon name={icons[choice]} />
          <span className="hidden">{labels[choice]}</span>
        </label>
      ))}
    </fieldset>
  );
}
