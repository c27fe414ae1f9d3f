import type { Route } from "../address.ts";
import { fleet } from "../fleet/fleet.ts";
import { frameWords } from "./words.ts";

/** What the browser's tab is called at a place. */
export function placeTitle(at: Route): string {
  return `${nameOf(at)} · Dumont`;
}

function nameOf(at: Route): string {
  const { places, section } = frameWords.value;
  switch (at.page) {
    case "instance":
      return (
        fleet.value?.instances.find(({ instance_id }) => instance_id === at.instanceId)?.name ?? at.instanceId
      );
    case "settings":
      return section[at.section];
    case "sign-in":
      return places.signIn;
    case "fleet":
    case "alerts":
    case "costs":
    case "activity":
    case "add":
    case "operator":
      return places[at.page];
  }
}
