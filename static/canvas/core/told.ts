// What the server found in the text and what the canvas found by itself: each fault once.

interface Fault {
  severity: string;
  line: number;
  column: number;
  message: string;
}

/** The server saw more, so its word counts; of ours only what it says nothing about on that line. */
export function together<P extends Fault>(told: readonly P[], own: readonly P[]): P[] {
  const known = new Set(told.flatMap((one) => [code(one), place(one)]));
  const more = own.filter((one) => !known.has(code(one)) && !known.has(place(one)));
  return [...told, ...more].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The line, how bad it is, and the name that the fault is about; words may differ. */
function code({ line, severity, message }: Fault): string {
  return `${line} ${severity} ${/'([^']*)'/.exec(message)?.[1] ?? message}`;
}

function place({ line, column, severity }: Fault): string {
  return `${line}:${column} ${severity}`;
}
