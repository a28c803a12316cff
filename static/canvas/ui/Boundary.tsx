// When a part of the editor fails (a file that is no longer served, a fault in drawing), the rest stays and no text is lost.
import { Component, type ReactNode } from "react";
import { isDirty } from "./save";
import { useEditor } from "./state";

interface Props {
  /** What is not there now, as the reader knows it: "The YAML view". */
  part: string;
  /** Given where the part lies over the editor and can be put away. */
  close?: () => void;
  children: ReactNode;
}

export class Boundary extends Component<Props, { fault: string }> {
  override state = { fault: "" };

  static getDerivedStateFromError(fault: unknown): { fault: string } {
    return { fault: (fault instanceof Error && fault.message) || String(fault) };
  }

  override render(): ReactNode {
    const { part, close, children } = this.props;
    return this.state.fault ? <Fault part={part} close={close} fault={this.state.fault} /> : children;
  }
}

const NOT_LOADED = /dynamically imported module|importing a module|module script|preload/i;

function Fault({ part, close, fault }: { part: string; close?: (() => void) | undefined; fault: string }) {
  const text = useEditor((state) => state.text);
  const dirty = isDirty();
  const why = NOT_LOADED.test(fault) ? "could not be loaded. The server may have been updated, or cannot be reached." : "stopped working.";
  return (
    <div className="ed-fault" role="alert" data-over={close ? true : undefined}>
      <strong>{part} {why}</strong>
      <p>{dirty ? "Your changes are not saved yet. Copy the text before you reload." : "All changes are saved."}</p>
      <small>{fault}</small>
      <p className="ed-fault-actions">
        <button type="button" className="btn" data-size="sm" onClick={() => location.reload()}>Reload</button>
        {dirty && <button type="button" className="btn" data-variant="outline" data-size="sm" onClick={() => void navigator.clipboard?.writeText(text)}>Copy the text</button>}
        {close && <button type="button" className="btn" data-variant="outline" data-size="sm" onClick={close}>Close</button>}
      </p>
      {dirty && <textarea readOnly aria-label="Unsaved text of the flow" value={text} onFocus={(event) => event.target.select()} />}
    </div>
  );
}
