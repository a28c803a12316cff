// A button of the toolbar: an icon, a word where there is room, and its shortcut in the hint.
import { memo, type MouseEvent } from "react";
import { Icon } from "./icons";

interface Props {
  icon: string;
  label: string;
  hint?: string;
  text?: boolean;
  variant?: "primary" | "ghost" | "outline" | "destructive";
  pressed?: boolean;
  disabled?: boolean;
  onClick: (event: MouseEvent) => void;
}

export const Button = memo(function Button({ icon, label, hint, text, variant = "ghost", pressed, disabled, onClick }: Props) {
  return (
    <button type="button" className="btn ed-button" data-variant={variant} data-size={text ? "sm" : "icon-sm"} aria-label={text ? undefined : label} aria-pressed={pressed} title={hint ? `${label} (${hint})` : label} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
      {text && <span>{label}</span>}
    </button>
  );
});
