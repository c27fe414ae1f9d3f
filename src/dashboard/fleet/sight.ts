/** Which rows of the table are in sight, by the address that each bears. */

const ATTRIBUTE = "data-instance";

/** The attributes of a row by which it is found here. */
export const ofInstance = (instanceId: string) => ({ [ATTRIBUTE]: instanceId });

/** Ids of the instances whose rows are within the window, in the order of the ids. */
export function instancesInSight(): string[] {
  return [...document.querySelectorAll(`[${ATTRIBUTE}]`)]
    .filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    })
    .map((row) => row.getAttribute(ATTRIBUTE) ?? "")
    .sort();
}
