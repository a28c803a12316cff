// The entry of every page: one line for each behaviour.
import "../css/app.css";
import { confirm } from "./confirm";
import { copy } from "./copy";
import { dialog } from "./dialog";
import { drawer } from "./drawer";
import { editor } from "./editor";
import { forms } from "./forms";
import { livelog } from "./livelog";
import { localtime } from "./localtime";
import { market } from "./market";
import { pagetabs } from "./pagetabs";
import { pick } from "./pick";
import { reserve } from "./reserve";
import { scrolled } from "./scrolled";
import { tabs } from "./tabs";
import { theme } from "./theme";
import { toasts } from "./toast";
import { tryit } from "./tryit";
import { tryprompt } from "./tryprompt";

for (const behaviour of [theme, drawer, tabs, dialog, confirm, forms, copy, toasts, localtime, livelog, editor, tryit, tryprompt, pagetabs, market, pick, reserve, scrolled]) behaviour();
