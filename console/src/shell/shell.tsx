import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { IconButton } from "../ui/button.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Mark } from "./mark.tsx";
import { ThemeChoice } from "./theme-choice.tsx";
import "./shell.css";

interface Place {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  readonly holds: (location: string) => boolean;
}

const places: readonly Place[] = [
  {
    path: "/",
    name: "Sessions",
    icon: "sessions",
    holds: (location) => location === "/" || location.startsWith("/sessions"),
  },
  { path: "/keys", name: "API keys", icon: "key", holds: (location) => location === "/keys" },
  { path: "/host", name: "Host", icon: "host", holds: (location) => location === "/host" },
];

interface ShellProps {
  readonly onSignOut: () => void;
  readonly children: ReactNode;
}

/** What stands around every screen: the way to the others, the colours, and the way out. */
export function Shell({ onSignOut, children }: ShellProps) {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(location);

  // Who comes by keyboard or screen reader begins at the new screen's heading.
  useEffect(() => {
    if (before.current === location) return;
    before.current = location;
    window.scrollTo(0, 0);
    (main.current?.querySelector<HTMLElement>("h1") ?? main.current)?.focus();
  }, [location]);

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="shell__bar">
        <Link href="/" className="shell__brand">
          <Mark className="shell__mark" />
          <span>Nightjar</span>
        </Link>
        <nav className="shell__nav" aria-label="Console">
          {places.map(({ path, name, icon, holds }) => (
            <Link
              key={path}
              href={path}
              className="shell__link"
              aria-current={holds(location) ? "page" : undefined}
            >
              <Icon name={icon} />
              <span>{name}</span>
            </Link>
          ))}
        </nav>
        <div className="shell__tools">
          <a className="shell__docs" href="/docs">
            API reference
          </a>
          <ThemeChoice />
          <IconButton icon="exit" label="Sign out" onClick={onSignOut} />
        </div>
      </header>
      <main ref={main} id="main" className="shell__main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
