import { frameWords } from "../frame/words.ts";

export function AlertsPlace() {
  return <h1>{frameWords.value.places.alerts}</h1>;
}
