// Pieces that every page is made of.

import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import * as words from "./words.js";

// --- time --------------------------------------------------------------------

export const now = () => Math.floor(Date.now() / 1000);

// "in 3 h 20 min", kept true by tick().
export function relative(at) {
  return el("time", { datetime: new Date(at * 1000).toISOString(),
    "data-relative": at }, words.relative(at, now()));
}

// The whole moment: relative, in the reader's zone, and in UTC.
export function moment(at) {
  if (at === null) return el("span", {}, "–");
  const here = new Date(at * 1000).getTimezoneOffset() === 0 ? ""
    : ` · ${words.local(at)}`;
  return el("span", {}, relative(at), el("span", { class: "muted" },
    `${here} · ${words.utc(at)}`));
}

// Say again how far away each moment is.
export function tick(root = document) {
  for (const time of root.querySelectorAll("[data-relative]")) {
    const said = words.relative(Number(time.dataset.relative), now());
    if (time.textContent !== said) time.textContent = said;
  }
}

// Seconds as a value of <input type="datetime-local">, and back; null if empty.
export function toLocalInput(at) {
  const date = new Date(at * 1000);
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-` +
    `${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function fromLocalInput(value) {
  const ms = new Date(value).getTime();
  return value === "" || Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}

// --- showing -----------------------------------------------------------------

export function heading(text, { back = null, lead = null } = {}) {
  return el("div", { class: "head" },
    back && el("a", { class: "back", href: back.href }, `← ${back.text}`),
    el("h1", { tabindex: "-1", id: "page-title" }, text),
    lead && el("p", { class: "lead" }, lead));
}

export function card(title, ...children) {
  return el("section", { class: "card" }, title && el("h2", {}, title),
    ...children);
}

export function chip(state) {
  const [said, tone] = words.state(state);
  return el("span", { class: `chip ${tone}`, "data-state": state },
    icon(tone), said);
}

export function tags(items) {
  return el("span", { class: "tags" },
    items.map((item) => el("span", { class: "tag" }, item)));
}

// [[term, description], ...]; rows without a description are left out.
export function facts(rows) {
  return el("dl", { class: "facts" }, rows
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

export function code(text, { large = false, id = null } = {}) {
  return el("span", { class: large ? "code large" : "code", id }, text);
}

export function services(names) {
  return el("ul", { class: "services" }, names.map((name) => {
    const [title, more] = words.service(name);
    const power = name !== "sshd";
    return el("li", { class: power ? "power" : null }, icon(power ? "power" : "shell"),
      el("div", {}, el("strong", {}, title), " ", el("code", {}, name),
        el("span", {}, more)));
  }));
}

const CHECK_WORDS = { good: "Sound: ", bad: "Wrong: ", unsure: "Not certain: " };

export function checks(list) {
  return el("ul", { class: "checks" }, list.map(({ result, text }) =>
    el("li", { class: result, "data-result": result }, icon(result),
      el("span", {}, el("span", { class: "unseen" }, CHECK_WORDS[result]), text))));
}

export function notice(tone, ...children) {
  return el("div", { class: `notice ${tone}`,
    role: tone === "bad" ? "alert" : null }, ...children);
}

export function empty(name, title, text) {
  return el("div", { class: "card empty" }, icon(name), el("h2", {}, title),
    el("p", {}, text));
}

export function waiting(text = "One moment …") {
  return el("p", { class: "waiting" }, text);
}

// What went wrong, and what to do now.
export function problem(error) {
  return notice("bad", el("p", {}, el("strong", {}, error.message)),
    error.detail && el("p", {}, error.detail),
    error.next && el("p", {}, error.next),
    error.code && el("p", { class: "small muted" }, `Code ${error.code}`));
}

// A list of {change, text} as trust.js makes it.
export function changes(list) {
  const said = { added: "Added", removed: "Removed", changed: "Changed" };
  return el("ul", { class: "diff" }, list.map(({ change, text }) =>
    el("li", { class: change }, el("b", {}, said[change]), el("span", {}, text))));
}

// --- doing -------------------------------------------------------------------

// A button that works once at a time and says below itself what went wrong.
// work: async () => text to announce, or nothing.
export function action(label, work, { id = null, tone = null, name = null,
  describe = null, key = null } = {}) {
  const said = el("div", {});
  const button = el("button", { type: "button", id, class: tone,
    "aria-label": describe, "data-key": key, on: { click: async () => {
      if (button.getAttribute("aria-busy") === "true") return;
      button.setAttribute("aria-busy", "true");
      fill(said);
      try {
        await work(button);
        button.closest("section, main")?.querySelector("[aria-invalid=true]")?.focus();
      } catch (error) {
        fill(said, problem(error));
      } finally {
        button.removeAttribute("aria-busy");
      }
    } } }, name && icon(name), label);
  return el("div", { class: "action" }, button, said);
}

export function copyButton(text, what) {
  const said = el("span", { class: "small muted", role: "status" });
  return el("span", { class: "row" },
    el("button", { type: "button", class: "quiet", "aria-label": `Copy ${what}`,
      on: { click: async () => {
        try {
          await navigator.clipboard.writeText(text);
          said.textContent = "Copied.";
        } catch {
          said.textContent = "The browser does not let the page copy: select it.";
        }
        setTimeout(() => { said.textContent = ""; }, 4000);
      } } }, icon("copy"), "Copy"), said);
}

export function saveButton(name, text, label, type = "text/plain") {
  return el("button", { type: "button", class: "quiet", on: { click: () => {
    const href = URL.createObjectURL(new Blob([text], { type }));
    const link = el("a", { href, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
  } } }, label);
}

// A text exactly as it is, to read and to copy.
export function textBox(text, what, { id = null, save = null } = {}) {
  return el("div", { class: "text" },
    el("pre", { id, tabindex: "0", role: "region", "aria-label": `The ${what}` }, text),
    el("div", { class: "row" }, copyButton(text, what),
      save && saveButton(save, text, `Save as “${save}”`)));
}

// Lines for a terminal. what: "the ssh-keygen line".
export function copyLines(text, what) {
  return el("div", { class: "text" }, el("pre", { tabindex: "0", role: "region",
    "aria-label": what }, text), el("div", { class: "row" }, copyButton(text, what)));
}

let fields = 0;

// A labelled input. The returned element carries .input, .value and
// .wrong(text or null).
export function field(label, { hint = null, input = null, id = null,
  name = "input", ...attributes } = {}) {
  const own = id ?? `field-${++fields}`;
  const control = input ?? el(name, { ...attributes, id: own });
  control.id = own;
  const hintId = hint && `${own}-hint`;
  const wrongId = `${own}-wrong`;
  const complaint = el("p", { class: "wrong", id: wrongId, hidden: true });
  control.setAttribute("aria-describedby", [hintId, wrongId].filter(Boolean).join(" "));
  const box = el("div", { class: "field" }, el("label", { for: own }, label),
    control, hint && el("p", { class: "hint", id: hintId }, hint), complaint);
  box.input = control;
  box.wrong = (text) => {
    complaint.textContent = text ?? "";
    complaint.hidden = !text;
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    return Boolean(text);
  };
  return box;
}

export function select(options, value) {
  return el("select", {}, options.map(([key, text]) =>
    el("option", { value: key, selected: String(key) === String(value) }, text)));
}

// Checkboxes or radio buttons: options [[value, title, more], ...]. The
// returned element carries .values(), those that are chosen.
export function choices(legend, options, { type = "checkbox", chosen = [],
  boxed = false, name = `choice-${++fields}`, hint = null, on = {} } = {}) {
  const inputs = options.map(([value]) => el("input", { type, name, value,
    id: `${name}-${value}`, checked: chosen.includes(value), on }));
  const box = el("fieldset", {}, el("legend", {}, legend),
    hint && el("p", { class: "hint" }, hint),
    el("div", { class: boxed ? "choices boxed" : "choices" },
      options.map(([, title, more], i) => el("label", { class: "choice" }, inputs[i],
        el("span", {}, el("strong", {}, title), more && el("small", {}, more))))));
  box.values = () => inputs.filter((input) => input.checked)
    .map((input) => input.value);
  box.inputs = inputs;
  return box;
}

// One line out of what people type.
export const tidy = (text) => text.trim().replace(/\s+/g, " ");

// A deed is done: say so, look again, and put the reader at the top.
export async function finish(ctx, text, refresh) {
  ctx.announce(text);
  await refresh();
  document.getElementById("page-title")?.focus();
}

// Calls with the same data do nothing: nobody's focus or selection is lost.
export function onChange(render) {
  let last;
  return (data) => {
    const text = JSON.stringify(data);
    if (text === last) return undefined;
    last = text;
    return render(data);
  };
}
