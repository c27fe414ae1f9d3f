import { signal } from "@preact/signals";
import type { Tag } from "../lifecycle/model/tags.ts";
import { tagsInQuery } from "./fleet/tags.ts";

/** Where in the page the user is, by the address's fragment, so that no server need know. */
type Route =
  | { readonly page: "fleet"; readonly tags: readonly Tag[] }
  | { readonly page: "instance"; readonly instanceId: string }
  | { readonly page: "add" }
  | { readonly page: "activity" }
  | { readonly page: "costs" }
  | { readonly page: "settings" };

function routeOf(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#/, "").split("?");
  const [, page, id] = path.split("/");
  const fleet: Route = { page: "fleet", tags: tagsInQuery(query) };
  switch (page) {
    case "instances":
      return id ? { page: "instance", instanceId: decodeURIComponent(id) } : fleet;
    case "add":
    case "activity":
    case "costs":
    case "settings":
      return { page };
    default:
      return fleet;
  }
}

export const instanceAddress = (instanceId: string) => `#/instances/${encodeURIComponent(instanceId)}`;

export const route = signal(routeOf(location.hash));

addEventListener("hashchange", () => {
  route.value = routeOf(location.hash);
  scrollTo(0, 0);
});
