import { useEffect, useRef, useState } from "preact/hooks";

/** So many rows are drawn at first, and as many more whenever the end comes into view. */
const ROWS_AT_A_TIME = 60;

/** How many rows to draw, and the element after them; null there: all are drawn. */
export function useGrowing(rows: number) {
  const [limit, setLimit] = useState(ROWS_AT_A_TIME);
  const end = useRef<HTMLTableRowElement>(null);
  const isMore = rows > limit;
  useEffect(() => {
    if (end.current === null || !isMore) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setLimit(limit + ROWS_AT_A_TIME);
      },
      { rootMargin: "600px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [isMore, limit]);
  return { limit, end, isMore };
}
