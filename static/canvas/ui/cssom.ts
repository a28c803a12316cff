// CodeMirror writes <style> elements, which the security policy refuses; its rules go in as constructed sheets instead.
import { StyleModule } from "style-mod";

type Root = Document | ShadowRoot;

/** A set of rules made for something like a shadow root is a constructed sheet; the document then shares that set. */
export function adoptRules(): void {
  const stand: Record<PropertyKey, unknown> = { ownerDocument: document, adoptedStyleSheets: [] };
  StyleModule.mount(stand as unknown as Root, new StyleModule({}));
  for (const key of Object.getOwnPropertySymbols(stand)) {
    (document as unknown as Record<PropertyKey, unknown>)[key] = stand[key];
  }
}
