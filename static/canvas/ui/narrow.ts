// On a phone the flow is read and its runs are watched; editing needs more room.
import { NARROW, store } from "./state";

export function followWidth(): () => void {
  const narrow = matchMedia(NARROW);
  const follow = (): void => store.set({ narrow: narrow.matches, readOnly: narrow.matches || !store.get().data.may_write, inspecting: false });
  narrow.addEventListener("change", follow);
  return () => narrow.removeEventListener("change", follow);
}
