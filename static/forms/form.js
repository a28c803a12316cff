// Checks a form before it is sent, in the words of the server's check. Without this script the browser and the server do.
(() => {
  "use strict";
  const form = document.querySelector("form[data-form]");
  const summary = document.querySelector(".error-summary");
  if (summary) summary.focus();
  if (!form) return;
  form.noValidate = true;

  const length = (text) => [...text].length;
  const sentence = (text) =>
    text === "is needed" ? "This is needed." : text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

  function* textFaults(rules, value) {
    const size = length(value);
    if (rules.minLength !== undefined && size < rules.minLength)
      yield `must have at least ${rules.minLength} characters, but has ${size}`;
    if (rules.maxLength !== undefined && size > rules.maxLength)
      yield `must have at most ${rules.maxLength} characters, but has ${size}`;
    if (rules.pattern !== undefined && !matches(rules.pattern, value)) yield `must match the pattern ${rules.patternText}`;
  }

  function matches(pattern, value) {
    try {
      return new RegExp(pattern, "u").test(value);
    } catch {
      return true; // the server knows what it means
    }
  }

  function* numberFaults(rules, text, shown) {
    const whole = /^[+-]?\d+$/.test(text);
    const number = Number(text);
    if (rules.type === "integer" ? !whole : !Number.isFinite(number)) {
      yield `must be ${rules.wanted}, but is ${shown}`;
      return;
    }
    if (rules.min !== undefined && number < rules.min) yield `must be at least ${rules.minText}`;
    if (rules.max !== undefined && number > rules.max) yield `must be at most ${rules.maxText}`;
  }

  function* listFaults(rules, count) {
    if (rules.minItems !== undefined && count < rules.minItems)
      yield `must have at least ${rules.minItems} elements, but has ${count}`;
    if (rules.maxItems !== undefined && count > rules.maxItems)
      yield `must have at most ${rules.maxItems} elements, but has ${count}`;
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  function* writtenFaults(rules, text) {
    if (rules.type === "object") {
      const value = parsed(text);
      if (value === undefined) yield "must be an object, but this is not JSON";
      else if (value === null || typeof value !== "object" || Array.isArray(value))
        yield `must be an object, but is ${Array.isArray(value) ? "a list" : "another value"}`;
    } else if (rules.type === "array" && text.trimStart().startsWith("[")) {
      const value = parsed(text);
      if (Array.isArray(value)) yield* listFaults(rules, value.length);
      else yield "must be a list, but this is not JSON";
    } else if (rules.type === "array") {
      const parts = text.trim().includes("\n") ? text.split("\n") : text.split(",");
      yield* listFaults(rules, parts.filter((part) => part.trim()).length);
    }
  }

  function* faultsOf(field, rules) {
    const boxes = [...field.querySelectorAll("input[type=checkbox]")];
    const input = field.querySelector(".field-input");
    if (rules.type === "array" && boxes.length) {
      const count = boxes.filter((box) => box.checked).length;
      if (count || rules.required) yield* count ? listFaults(rules, count) : ["is needed"];
    } else if (input && input.type === "file") {
      const [file] = input.files;
      if (!file && rules.required) yield "is needed";
      if (file && file.size > rules.maxBytes) yield `has ${file.size} bytes, the limit is ${rules.maxBytes}`;
    } else if (input && input.type === "number" && input.validity.badInput) {
      yield `must be ${rules.wanted}`;
    } else if (input && input.value === "") {
      if (rules.required) yield "is needed";
    } else if (input && input.tagName !== "SELECT") {
      const value = input.value;
      if (["number", "integer", "float"].includes(rules.type)) yield* numberFaults(rules, value.trim(), `the text '${value}'`);
      else if (rules.type === "string") yield* textFaults(rules, value);
      else yield* writtenFaults(rules, value);
    }
  }

  /** Shows what is wrong with a field, and says whether anything is. */
  function check(field) {
    const rules = JSON.parse(field.dataset.rules);
    const [first] = faultsOf(field, rules);
    const said = first === undefined ? "" : sentence(rules.message && first !== "is needed" ? rules.message : first);
    const place = field.querySelector(".field-error");
    const target = field.querySelector(".field-input, input[type=checkbox]");
    if (place.textContent !== said) place.textContent = said;
    for (const input of field.querySelectorAll(".field-input, input[type=checkbox]")) {
      if (said) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    return said ? { id: target.id, label: field.dataset.label, said } : null;
  }

  function summarise(problems) {
    document.querySelector(".error-summary")?.remove();
    if (!problems.length) return;
    const box = document.createElement("div");
    box.className = "error-summary";
    box.tabIndex = -1;
    box.setAttribute("role", "alert");
    const title = document.createElement("h2");
    title.textContent = problems.length === 1 ? "There is a problem" : `There are ${problems.length} problems`;
    const list = document.createElement("ul");
    for (const { id, label, said } of problems) {
      const link = document.createElement("a");
      link.href = `#${id}`;
      link.textContent = `${label}: ${said}`;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        document.getElementById(id).focus();
      });
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    box.append(title, list);
    form.before(box);
    box.focus();
  }

  const fields = [...form.querySelectorAll("[data-rules]")];
  const button = form.querySelector("button[type=submit]");
  const usual = button.textContent;
  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      return;
    }
    const problems = fields.map(check).filter(Boolean);
    summarise(problems);
    if (problems.length) {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.sending;
  });
  for (const field of fields) {
    field.addEventListener("change", () => {
      if (field.querySelector("[aria-invalid=true]")) check(field);
    });
  }
  // Coming back with the browser's own button: the page is as it was left, and can be sent again.
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.textContent = usual;
  });
})();
