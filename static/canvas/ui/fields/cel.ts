// The colours of CEL, and of `${…}` inside of plain text.
import { StreamLanguage, type StreamParser } from "@codemirror/language";
import { Decoration, MatchDecorator, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";

const cel: StreamParser<null> = {
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^[rb]?("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)/i)) return "string";
    if (stream.match(/^\d+(\.\d+)?([eE][+-]?\d+)?u?/)) return "number";
    if (stream.match(/^(true|false|null)\b/)) return "atom";
    if (stream.match(/^in\b/)) return "keyword";
    if (stream.match(/^[A-Za-z_]\w*(?=\s*\()/)) return "variableName.function";
    if (stream.match(/^(payload|trigger|steps|item|index|execution|secret|vars)\b/)) return "keyword";
    if (stream.match(/^[A-Za-z_]\w*/)) return "variableName";
    if (stream.match(/^[=!<>&|+\-*/%?:]+/)) return "operator";
    stream.next();
    return "punctuation";
  },
};

export const celLanguage = StreamLanguage.define(cel);

const hole = new MatchDecorator({ regexp: /(?<!\$)\$\{[^}]*\}?/g, decoration: Decoration.mark({ class: "cm-hole" }) });

export const templateMarks = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = hole.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = hole.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
