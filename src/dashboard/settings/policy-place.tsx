import { loaded } from "../parts/loaded.tsx";

export const PolicyPlace = loaded(async () => (await import("./policy-editor.tsx")).PolicyEditor);
