import { createContext, type ReactNode, useCallback, useContext, useState } from "react";

const AnnounceContext = createContext<(text: string) => void>(() => {});

/** Says short news at the edge of the screen, and to screen readers. */
export function useAnnounce(): (text: string) => void {
  return useContext(AnnounceContext);
}

export function Announcer({ children }: { readonly children: ReactNode }) {
  const [news, setNews] = useState<{ readonly text: string; readonly number: number } | null>(null);
  const announce = useCallback((text: string) => {
    setNews((before) => ({ text, number: (before?.number ?? 0) + 1 }));
  }, []);
  return (
    <AnnounceContext value={announce}>
      {children}
      <div className="announcer" role="status">
        {news !== null && (
          <p
            key={news.number}
            className="announcer__news"
            onAnimationEnd={() => setNews((now) => (now?.number === news.number ? null : now))}
          >
            {news.text}
          </p>
        )}
      </div>
    </AnnounceContext>
  );
}
