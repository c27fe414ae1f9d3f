import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { words } from "../words.ts";

/** The page of costs, which is loaded when it is first looked at. */
export function CostsPlace() {
  const [Page, setPage] = useState<ComponentType | null>(null);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    import("./costs-page.tsx").then(
      (module) => setPage(() => module.CostsPage),
      () => setMissing(true),
    );
  }, []);
  if (Page !== null) return <Page />;
  return <p class="faint">{isMissing ? words.value.offline : words.value.loading}</p>;
}
