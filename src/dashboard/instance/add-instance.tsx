import { loaded } from "../parts/loaded.tsx";

export const AddInstance = loaded(async () => (await import("./add/add-page.tsx")).AddPage);
