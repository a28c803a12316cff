// The open run under the canvas: its steps in order, each with its time; a step chooses its node.
import { memo } from "react";
import { Button } from "./Button";
import { Icon } from "./icons";
import { closeRun, cancelRun, retryRun } from "./run";
import { choose } from "./select";
import { store, useEditor, type Step } from "./state";
import { showNode } from "./places";
import { count, duration, errorText } from "./words";

export function RunPanel() {
  const run = useEditor((state) => state.run);
  const readOnly = useEditor((state) => !state.data.may_write);
  const shown = useEditor((state) => state.runShown);
  if (!run || !shown) return null;
  const over = !run.live;
  return (
    <section className="ed-run" aria-label="Run">
      <header>
        <span className="status" data-status={run.status}>{run.status}</span>
        <a href={`/runs/${run.id}`} title="The run's own page">{run.id.slice(-8)}</a>
        <span className="ed-hint">{count(run.steps.length, "step")}{run.steps.length > 0 && ` · ${duration(span(run.steps))}`}</span>
        {run.error && <span className="ed-field-problem" role="alert">{run.error}</span>}
        <Compared />
        <span className="ed-grow" />
        {!readOnly && !over && <Button icon="stop" text label="Cancel" onClick={() => void cancelRun()} />}
        {!readOnly && over && run.steps.some((step) => step.error) && run.status !== "success" && <Button icon="step" text label="Retry from the failed step" onClick={() => void retryRun(true)} />}
        {!readOnly && over && <Button icon="refresh" text label="Run again" onClick={() => void retryRun(false)} />}
        <Button icon="close" label="Close the run" hint="Esc" onClick={closeRun} />
      </header>
      {run.steps.length > 0 && <ol>{run.steps.slice(-400).map((step, index) => <Row key={`${index} ${step.node} ${step.at_us}`} step={step} start={run.steps[0]!.at_us} total={span(run.steps)} />)}</ol>}
      {!run.steps.length && over && <p className="ed-hint">This run recorded no steps.</p>}
    </section>
  );
}

function Compared() {
  const differs = useEditor((state) => state.differs);
  const [one, two] = [useEditor((state) => state.data.beside), useEditor((state) => state.run?.id)];
  const page = useEditor((state) => state.data.urls.runs);
  if (!differs) return null;
  return <a className="ed-compared" href={`${page}/compare?a=${one}&b=${two}`}>{differs.size ? `${count(differs.size, "node")} differ${differs.size === 1 ? "s" : ""} from run ${one?.slice(-8)}` : `The same as run ${one?.slice(-8)}`}</a>;
}

function span(steps: readonly Step[]): number {
  const first = steps[0]?.at_us ?? 0;
  return Math.max(1, ...steps.map((step) => step.at_us - first + step.duration_us));
}

const Row = memo(function Row({ step, start, total }: { step: Step; start: number; total: number }) {
  const left = ((step.at_us - start) / total) * 100;
  const width = Math.max((step.duration_us / total) * 100, 0.6);
  const open = (): void => (choose(step.node), showNode(step.node), store.set({ inspecting: true }));
  return (
    <li>
      <button type="button" data-tone={step.error ? "failed" : "success"} onClick={open} title={errorText(step.error)}>
        <Icon name={step.error ? "close" : "check"} size={12} />
        <strong>{step.node}</strong>
        <small>{step.attempt > 0 ? `try ${step.attempt + 1}` : step.kind}</small>
        <span className="ed-track"><i style={{ left: `${Math.min(left, 99)}%`, width: `${Math.min(width, 100 - Math.min(left, 99))}%` }} /></span>
        <small className="ed-num">{duration(step.duration_us)}</small>
      </button>
    </li>
  );
});
