import { signal } from "@preact/signals";

/** Where in the page the user is, by the address's fragment, so that no server need know. */
type Route =
  | { readonly page: "fleet" }
  | { readonly page: "instance"; readonly instanceId: string }
  | { readonly page: "add" }
  | { readonly page: "activity" }
  | { readonly page: "settings" };

function routeOf(fragment: string): Route {
  const [, page, id] = fragment.replace(/^#/, "").split("/");
  switch (page) {
    case "instances":
      return id ? { page: "instance", instanceId: decodeURIComponent(id) } : { page: "fleet" };
    case "add":
    case "activity":
    case "settings":
      return { page };
    default:
      return { page: "fleet" };
  }
}

export const instanceAddress = (instanceId: string) => `#/instances/${encodeURIComponent(instanceId)}`;

export const route = signal(routeOf(location.hash));

addEventListener("hashchange", () => {
  route.value = routeOf(location.hash);
  scrollTo(0, 0);
});
