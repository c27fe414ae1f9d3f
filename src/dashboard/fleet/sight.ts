/** Which instances are in sight: those of the rows of the table, by the address that each bears, and the one that has a page open. */

const ATTRIBUTE = "data-instance";

/** The attributes of a row by which it is found here. */
export const ofInstance = (instanceId: string) => ({ [ATTRIBUTE]: instanceId });

const opened = new Set<string>();

/** Until its answer is called, the whole page is about this instance. */
export function openInSight(instanceId: string): () => void {
  opened.add(instanceId);
  return () => opened.delete(instanceId);
}

/** Ids of the instances in sight, in their order. */
export function instancesInSight(): string[] {
  const rows = [...document.querySelectorAll(`[${ATTRIBUTE}]`)]
    .filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    })
    .map((row) => row.getAttribute(ATTRIBUTE) ?? "");
  return [...new Set([...opened, ...rows])].sort();
}
