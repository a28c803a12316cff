// A list that is searched by typing and walked by arrows; what the command palette and the target picker share.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Dialog } from "./Dialog";

export interface Choice {
  id: string;
  title: string;
  detail?: string;
  hint?: ReactNode;
  icon?: ReactNode;
}

interface Props {
  title: string;
  placeholder: string;
  choices: Choice[];
  onPick: (choice: Choice) => void;
  onClose: () => void;
}

export function Picker({ title, placeholder, choices, onPick, onClose }: Props) {
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => ranked(choices, words).slice(0, 60), [choices, words]);
  useEffect(() => setAt(0), [words]);
  useEffect(() => void list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  const keys = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setAt((now) => (now + by + found.length) % Math.max(found.length, 1));
    else if (event.key === "Enter" && found[at]) onPick(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={title} className="ed-picker" onClose={onClose}>
      <input className="ed-input" autoFocus role="combobox" aria-expanded="true" aria-controls="ed-picker-list" aria-activedescendant={found[at] ? `ed-pick-${at}` : undefined} aria-label={title} placeholder={placeholder} value={words} onChange={(event) => setWords(event.target.value)} onKeyDown={keys} />
      <ul id="ed-picker-list" role="listbox" aria-label={title} ref={list}>
        {found.map((choice, index) => (
          <li key={choice.id} id={`ed-pick-${index}`} role="option" aria-selected={index === at} onMouseMove={() => setAt(index)} onClick={() => onPick(choice)}>
            {choice.icon}<span>{choice.title}</span>{choice.detail && <small>{choice.detail}</small>}{choice.hint && <em>{choice.hint}</em>}
          </li>
        ))}
      </ul>
      {!found.length && <p className="ed-hint">Nothing is called that.</p>}
    </Dialog>
  );
}

/** Those that begin with the words come first, then those that hold them all. */
function ranked(choices: readonly Choice[], words: string): Choice[] {
  const wanted = words.trim().toLowerCase();
  if (!wanted) return [...choices];
  const parts = wanted.split(/\s+/);
  const score = (choice: Choice): number => {
    const text = `${choice.title} ${choice.detail ?? ""}`.toLowerCase();
    if (!parts.every((part) => text.includes(part))) return -1;
    return text.startsWith(wanted) ? 2 : choice.title.toLowerCase().includes(wanted) ? 1 : 0;
  };
  return choices.map((choice) => ({ choice, score: score(choice) })).filter((one) => one.score >= 0).sort((a, b) => b.score - a.score).map((one) => one.choice);
}
