// CodeMirror for AssemblyScript; what the compiler says stands at its line.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef, type RefObject } from "react";
import { appearance } from "../ui/codemirror";
import type { Fault } from "./build";

interface Props {
  text: string;
  faults: readonly Fault[];
  readOnly: boolean;
  view: RefObject<EditorView | null>;
  onChange: (text: string) => void;
  onBuild: () => void;
}

export function CodeEditor({ text, faults, readOnly, view, onChange, onBuild }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef({ onChange, onBuild });
  latest.current = { onChange, onBuild };
  useEffect(() => {
    if (!place.current) return;
    const listen = EditorView.updateListener.of((update) => update.docChanged && latest.current.onChange(update.state.doc.toString()));
    const build = (): boolean => (latest.current.onBuild(), true);
    const own = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          keymap.of([{ key: "Mod-s", run: build, preventDefault: true, stopPropagation: true }, { key: "Mod-Enter", run: build, preventDefault: true, stopPropagation: true }]),
          lineNumbers(), lintGutter(), highlightActiveLine(), drawSelection(), history(), indentOnInput(), bracketMatching(), closeBrackets(), highlightSelectionMatches(), search({ top: true }),
          javascript({ typescript: true }), indentUnit.of("  "), appearance, listen, EditorState.readOnly.of(readOnly), EditorView.contentAttributes.of({ "aria-label": "Source of the function", tabindex: "0" }),
          keymap.of([...closeBracketsKeymap, ...historyKeymap, ...searchKeymap, indentWithTab, ...defaultKeymap]),
        ],
      }),
    });
    view.current = own;
    if (!readOnly) own.focus();
    return () => (own.destroy(), void (view.current = null));
    // The text belongs to CodeMirror from here on.
    // eslint-disable-next-line
  }, [readOnly]);
  useEffect(() => {
    const own = view.current;
    if (!own) return;
    const length = own.state.doc.length;
    own.dispatch(setDiagnostics(own.state, faults.map(({ from, to, severity, message }) => ({ from: Math.min(from, length), to: Math.min(Math.max(from, to), length), severity, message }))));
  }, [faults, view]);
  return <div className="ed-source" ref={place} />;
}
