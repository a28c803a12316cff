// A small CodeMirror field for CEL and for text with `${…}`, with completion from the last run's data.
import { autocompletion, closeBrackets, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { Annotation, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { appearance, difference } from "../codemirror";
import { celLanguage, templateMarks } from "./cel";
import { celWords } from "./celwords";

export interface ExpressionProps {
  id: string;
  value: string;
  node: string;
  bare: boolean;
  lines?: boolean;
  secrets?: boolean;
  label: string;
  hint?: string;
  readOnly: boolean;
  onChange: (value: string) => void;
}

const Ours = Annotation.define<boolean>();

function single(onEnter: () => void): Extension {
  const one = EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [] : change));
  return [one, keymap.of([{ key: "Enter", run: () => (onEnter(), true) }])];
}

function made(parent: HTMLElement, props: ExpressionProps, changed: (value: string) => void): EditorView {
  const listen = EditorView.updateListener.of((update) => {
    if (update.docChanged && !update.transactions.some((one) => one.annotation(Ours))) changed(update.state.doc.toString());
  });
  const commit = (): void => (document.activeElement as HTMLElement | null)?.blur();
  const state = EditorState.create({
    doc: props.value,
    extensions: [
      keymap.of([...completionKeymap, { key: "Mod-Space", run: startCompletion }, { key: "Escape", run: (view) => (view.contentDOM.blur(), true) }]),
      props.lines ? [] : single(commit), keymap.of([...historyKeymap, ...defaultKeymap]), history(), closeBrackets(), EditorView.lineWrapping,
      props.bare ? celLanguage : templateMarks, autocompletion({ override: [celWords(props.node, props.bare, Boolean(props.secrets))], icons: false }),
      appearance, listen, placeholder(props.hint ?? ""), EditorState.readOnly.of(props.readOnly), EditorView.contentAttributes.of({ "aria-label": props.label, id: props.id, tabindex: "0" }),
    ],
  });
  return new EditorView({ state, parent });
}

export function Expression(props: ExpressionProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props.onChange);
  latest.current = props.onChange;
  const { node, bare, lines, readOnly } = props;
  useEffect(() => {
    if (!place.current) return;
    const own = made(place.current, props, (value) => latest.current(value));
    view.current = own;
    return () => own.destroy();
    // The text is followed below; only what shapes the field makes it anew.
    // eslint-disable-next-line
  }, [node, bare, lines, readOnly]);
  useEffect(() => {
    const own = view.current;
    const change = own && !own.hasFocus && difference(own.state.doc.toString(), props.value);
    if (own && change) own.dispatch({ changes: change, annotations: Ours.of(true) });
  }, [props.value]);
  return <div className="ed-code" data-lines={lines || undefined} ref={place} />;
}
