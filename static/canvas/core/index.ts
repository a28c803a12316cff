// The graph core: a flow's text ↔ what the canvas draws. Pure, without DOM; text is the truth.
export type * from "./types.ts";
export { parse, type ParseOptions } from "./parse.ts";
export { apply } from "./apply.ts";
export { History, type Snapshot } from "./history.ts";
export { copy } from "./clipboard.ts";
export { tidy, type TidyOptions } from "./layout.ts";
export { follow, placed } from "./positions.ts";
export { collapse, folded, frames, group, groupMarks, groupsOf, marked, ungroup, GROUP, type Frame } from "./groups.ts";
export { freshName, nameProblem } from "./names.ts";
export { template } from "./templates.ts";
export { merge3, type Merged } from "./merge.ts";
export { diff, type GraphDiff } from "./diff.ts";
export { search, type Found } from "./search.ts";
export { differing } from "./rundiff.ts";
export { together } from "./told.ts";
