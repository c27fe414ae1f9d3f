import { useMemo } from "preact/hooks";
import { changeQuery, query } from "../route.ts";
import type { Detail } from "./detail.ts";
import { ReadingsCard } from "./readings-card.tsx";
import { fromQuery, whyQuery } from "./why/moment.ts";
import { WhyPlace } from "./why/why-place.tsx";

/** The charts, and below them why it was so at the moment that the address names. */
export function Past({
  instance,
  address,
  isWhyAlwaysThere = false,
}: {
  instance: Detail;
  address: string;
  isWhyAlwaysThere?: boolean;
}) {
  const atMs = fromQuery(query.value.get("why"));
  const asked = useMemo(() => (atMs === null ? null : { atMs }), [atMs]);
  // Before its registration there is nothing to tell.
  const firstMs = Date.parse(instance.registered_at);
  const ask = (moment: number) => changeQuery(whyQuery(Math.max(moment, firstMs)));
  return (
    <>
      <ReadingsCard instance={instance} address={address} onWhy={ask} />
      {(isWhyAlwaysThere || asked !== null) && <WhyPlace address={address} asked={asked} onAsk={ask} />}
    </>
  );
}
