// The flow editor: finds its place and its data in the page and starts there.
import { createRoot } from "react-dom/client";
import "./canvas.css";
import { App } from "./ui/App";
import { Boundary } from "./ui/Boundary";
import { adoptRules } from "./ui/cssom";
import { readData } from "./ui/data";
import { startHistory } from "./ui/edit";
import { compareWith, openRun, recallRun } from "./ui/run";
import { start } from "./ui/state";

function open(): void {
  const place = document.getElementById("editor");
  const data = readData();
  if (!place || !data) return;
  adoptRules();
  start(data);
  startHistory();
  createRoot(place).render(<Boundary part="The editor"><App /></Boundary>);
  if (data.run) void openRun(data.run).then(() => (data.beside ? compareWith(data.beside) : undefined));
  else if (data.lastRun) void recallRun(data.lastRun);
}

open();
