// A modal box of the browser's own kind: focus stays inside, Escape closes, the opener gets the focus back.
import { useEffect, useRef, type ReactNode } from "react";
import { Icon } from "./icons";

interface Props {
  title: string;
  wide?: boolean;
  className?: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
}

export function Dialog({ title, wide, className = "", onClose, children, footer }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    if (box.current && !box.current.open) box.current.showModal();
    // Not the closing button: it would look as if that were the thing to do.
    if (document.activeElement?.getAttribute("aria-label") === "Close") box.current?.focus();
    return () => (before instanceof HTMLElement ? before.focus({ preventScroll: true }) : undefined);
  }, []);
  return (
    <dialog ref={box} tabIndex={-1} className={`ed-dialog ${wide ? "ed-dialog-wide" : ""} ${className}`} aria-label={title} onCancel={(event) => { event.preventDefault(); onClose(); }} onMouseDown={(event) => event.target === box.current && onClose()}>
      <div className="ed-dialog-box">
        <header>
          <h2>{title}</h2>
          <button type="button" className="ed-icon-button" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
        </header>
        <section>{children}</section>
        {footer && <footer>{footer}</footer>}
      </div>
    </dialog>
  );
}
