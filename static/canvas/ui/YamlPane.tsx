// The text of the flow: what is typed here is drawn, what is drawn is written here, and one history keeps both.
import { autocompletion, closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { appearance, difference } from "./codemirror";
import { flushTyping, redo, typed, undo } from "./edit";
import type { Problem } from "./http";
import { allProblems } from "./problems";
import { store, useEditor } from "./state";
import { yamlWords } from "./yamlwords";

const Ours = Annotation.define<boolean>();

/** The text is the editor's, so its history is too; CodeMirror keeps none of its own. */
const KEYS = [
  { key: "Mod-z", run: () => (undo(), true), preventDefault: true },
  { key: "Mod-y", run: () => (redo(), true), preventDefault: true },
  { key: "Mod-Shift-z", run: () => (redo(), true), preventDefault: true },
  { key: "Escape", run: (view: EditorView) => (view.contentDOM.blur(), true) },
];

/** CodeMirror's lines end with a line feed alone; the text keeps the ends it has, so that a save changes nothing else. */
function lines(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n/g, "\n") : text;
}

function ending(text: string): string {
  return store.get().text.includes("\r\n") ? text.replace(/\n/g, "\r\n") : text;
}

function made(parent: HTMLElement, readOnly: boolean): EditorView {
  const listen = EditorView.updateListener.of((update) => {
    if (update.docChanged && !update.transactions.some((one) => one.annotation(Ours))) typed(ending(update.state.doc.toString()));
  });
  const state = EditorState.create({
    doc: lines(store.get().text),
    extensions: [
      lineNumbers(), foldGutter(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
      highlightSelectionMatches(), search({ top: true }), yaml(), indentUnit.of("  "), autocompletion({ override: [yamlWords] }), appearance, listen,
      EditorState.readOnly.of(readOnly), EditorView.contentAttributes.of({ "aria-label": "YAML of the flow", tabindex: "0" }),
      keymap.of([...KEYS, ...foldKeymap, ...searchKeymap, indentWithTab, ...defaultKeymap]),
    ],
  });
  return new EditorView({ state, parent });
}

export function YamlPane() {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const readOnly = useEditor((state) => state.readOnly);
  useEffect(() => {
    if (!place.current) return;
    const own = made(place.current, readOnly);
    view.current = own;
    return () => (flushTyping(), own.destroy());
  }, [readOnly]);
  useText(view);
  useDiagnostics(view);
  useShownNode(view);
  return <div className="ed-yaml" ref={place} />;
}

type Held = { readonly current: EditorView | null };

/** Told by the state itself: the text is not to wait until the canvas is drawn again. */
function useText(view: Held): void {
  useEffect(() => {
    const follow = (): void => {
      const own = view.current;
      const text = store.get().text;
      if (!own || followed.get(own) === text) return;
      followed.set(own, text);
      const change = difference(own.state.doc.toString(), lines(text));
      if (change) own.dispatch({ changes: change, annotations: Ours.of(true) });
    };
    follow();
    return store.subscribe(follow);
  }, [view]);
}

/** The text that a pane was last compared with. */
const followed = new WeakMap<EditorView, string>();

function useDiagnostics(view: Held): void {
  const problems = useEditor(allProblems);
  const text = useEditor((state) => state.text);
  useEffect(() => {
    const own = view.current;
    if (own) own.dispatch(setDiagnostics(own.state, problems.map((problem) => diagnostic(own, problem))));
  }, [problems, text, view]);
}

function diagnostic(view: EditorView, problem: Problem): Diagnostic {
  const doc = view.state.doc;
  const line = doc.line(Math.min(Math.max(problem.line, 1), doc.lines));
  const from = Math.min(line.from + Math.max(problem.column - 1, 0), line.to);
  return { from, to: Math.max(from, line.to), severity: problem.severity, message: [problem.message, problem.hint].filter(Boolean).join(" ") };
}

/** Choosing a node on the canvas brings its lines into view beside it. */
function useShownNode(view: Held): void {
  const chosen = useEditor((state) => (state.selected.length === 1 ? state.selected[0] : ""));
  useEffect(() => {
    const own = view.current;
    const node = chosen ? store.get().graph.nodes.find((one) => one.id === chosen) : null;
    if (!own || !node || own.hasFocus || store.get().stale) return;
    const at = Math.min(lines(store.get().text.slice(0, node.range[0])).length, own.state.doc.length);
    own.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "start", yMargin: 60 }) });
  }, [chosen, view]);
}
