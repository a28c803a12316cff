// Every trigger of the flow with its address.
import { Dialog } from "./Dialog";
import { closeOverlay } from "./Overlays";
import { TriggerAddress } from "./TriggerAddress";
import { useEditor } from "./state";

export function TriggersDialog() {
  const triggers = useEditor((state) => state.data.flow.triggers);
  const status = useEditor((state) => state.status);
  return (
    <Dialog title="Triggers" onClose={closeOverlay}>
      {!triggers.length && <p className="ed-hint">The flow has no trigger that is saved. Drag one in from the palette and save.</p>}
      {status !== "running" && triggers.length > 0 && <p className="ed-hint">The flow is {status}: triggers answer once it runs.</p>}
      {triggers.map((trigger) => (
        <section key={trigger.name} className="ed-trigger">
          <h3>{trigger.name}<small>{trigger.type}</small></h3>
          <TriggerAddress name={trigger.name} />
        </section>
      ))}
    </Dialog>
  );
}
