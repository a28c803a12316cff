// The flow editor: finds its place in the page and starts React there.
import { createRoot } from "react-dom/client";
import "./canvas.css";

const place = document.getElementById("editor");
if (place) createRoot(place).render(<p>…</p>);
