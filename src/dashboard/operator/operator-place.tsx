import { loaded } from "../parts/loaded.tsx";

export const OperatorPlace = loaded(async () => (await import("./operator-page.tsx")).OperatorPage);
