import { loaded } from "../parts/loaded.tsx";

export const InstancePage = loaded(async () => (await import("./page.tsx")).Page);
