// What can be added: built in, from the market, and one's own; drag it in, click it, or press Enter.
import { memo, useMemo, useState, type DragEvent, type KeyboardEvent, type ReactNode } from "react";
import type { PaletteItem } from "./data";
import { toneOf } from "./FlowNode";
import { Icon } from "./icons";
import { addItem, ITEM_TYPE } from "./add";
import { kindOfItem } from "./items";
import { useEditor } from "./state";

const GROUPS = [["builtin", "Built-in"], ["market", "Market"], ["custom", "Custom"]] as const;
const EMPTY = {
  builtin: <>Nothing fits.</>,
  market: <>No nodes of others are installed. What somebody gives you as a WebAssembly module you <a href="/modules" target="_blank" rel="noopener">upload</a>; its functions are under Custom then.</>,
  custom: <>Functions, prompts and flows of this bundle and your account. <a href="/modules" target="_blank" rel="noopener">Upload a module</a> to have its functions here.</>,
};

export function Palette() {
  const palette = useEditor((state) => state.data.palette);
  const [words, setWords] = useState("");
  const found = useMemo(() => GROUPS.map(([id, label]) => ({ id, label, items: palette[id].filter((item) => fits(item, words)), all: palette[id].length })), [palette, words]);
  const first = found.find((group) => group.items.length)?.items[0];
  return (
    <aside className="ed-palette" aria-label="Palette">
      <label className="ed-search">
        <Icon name="search" size={14} />
        <input id="ed-palette-search" type="search" placeholder="Find a node" aria-label="Find a node" value={words} onChange={(event) => setWords(event.target.value)} onKeyDown={(event) => searchKeys(event, first)} />
      </label>
      <div className="ed-palette-groups">
        {found.map((group) => <Group key={group.id} label={group.label} items={group.items} empty={words ? null : EMPTY[group.id]} />)}
        {words && !first && <p className="ed-hint">Nothing is called that.</p>}
      </div>
    </aside>
  );
}

export function fits(item: PaletteItem, words: string): boolean {
  const text = `${item.label} ${item.handler} ${item.description}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function searchKeys(event: KeyboardEvent<HTMLInputElement>, first: PaletteItem | undefined): void {
  event.stopPropagation();
  if (event.key === "Enter" && first) addItem(first);
  if (event.key === "ArrowDown") step(event, 1);
  if (event.key === "Escape") event.currentTarget.blur();
}

/** Arrow keys go through the items, whichever group they are in. */
function step(event: KeyboardEvent<HTMLElement>, by: number): void {
  const items = [...document.querySelectorAll<HTMLElement>(".ed-item")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = at + by < 0 ? document.getElementById("ed-palette-search") : items[Math.min(at + by, items.length - 1)];
  event.preventDefault();
  next?.focus();
}

function Group({ label, items, empty }: { label: string; items: PaletteItem[]; empty: ReactNode }) {
  if (!items.length && !empty) return null;
  return (
    <section aria-label={label}>
      <h3>{label}</h3>
      {items.length ? <ul>{items.map((item) => <li key={`${item.label} ${item.handler}`}><Item item={item} /></li>)}</ul> : <p className="ed-hint">{empty}</p>}
    </section>
  );
}

const Item = memo(function Item({ item }: { item: PaletteItem }) {
  const kind = kindOfItem(item);
  const drag = (event: DragEvent): void => {
    event.dataTransfer.setData(ITEM_TYPE, JSON.stringify(item));
    event.dataTransfer.effectAllowed = "copy";
  };
  const keys = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key === "ArrowDown") step(event, 1);
    if (event.key === "ArrowUp") step(event, -1);
  };
  return (
    <button type="button" className="ed-item" draggable data-tone={toneOf(kind.kind)} data-kind={kind.kind} title={item.description} onDragStart={drag} onClick={() => addItem(item)} onKeyDown={keys}>
      <span className="ed-item-icon"><Icon name={kind.icon} size={15} /></span>
      <span>{item.label}</span>
    </button>
  );
});
