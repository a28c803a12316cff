// A short message over the canvas that leaves by itself; errors stay longer.
import { useEffect } from "react";
import { Icon } from "./icons";
import { store, useEditor } from "./state";

export function Toast() {
  const toast = useEditor((state) => state.toast);
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => store.set({ toast: null }), toast.kind === "error" ? 10_000 : 4000);
    return () => clearTimeout(timer);
  }, [toast]);
  if (!toast) return null;
  return (
    <div className="ed-toast" data-tone={toast.kind} role={toast.kind === "error" ? "alert" : "status"}>
      <span>{toast.text}</span>
      <button type="button" className="ed-icon-button" aria-label="Close the message" onClick={() => store.set({ toast: null })}><Icon name="close" size={13} /></button>
    </div>
  );
}
