// Elements from data. Text is always text: nothing here parses HTML.

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on") || name === "style" || name === "srcdoc")
    throw new TypeError(`dom: ${name} is no attribute to set`);
  if (name === "href" && !/^(?:#|\/|https:\/\/|blob:)/.test(value))
    throw new TypeError("dom: a link leads to https or within the page");
  element.setAttribute(name, value === true ? "" : String(value));
}

// el("p", {class: "note", on: {click}}, "text", node, [nodes], null)
// Properties that attributes cannot express go into `props`.
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  const { on = {}, props = {}, ...rest } = attributes ?? {};
  for (const [key, value] of Object.entries(rest))
    setAttribute(element, key, value);
  for (const [type, listener] of Object.entries(on))
    element.addEventListener(type, listener);
  Object.assign(element, props);
  element.append(...nodes(children));
  return element;
}

// Children as nodes: null, undefined and false are left out.
export function nodes(children) {
  return children.flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => child instanceof Node ? child
      : document.createTextNode(String(child)));
}

// Where the focus stands within a part of the page: an id or data-key.
function focusMark(container) {
  const active = document.activeElement;
  if (!active || !container.contains(active)) return null;
  return active.id ? `#${CSS.escape(active.id)}`
    : active.dataset.key ? `[data-key="${CSS.escape(active.dataset.key)}"]` : null;
}

// As fill, and what somebody has typed into a field with an id stays there.
export function refill(container, ...children) {
  const typed = [...container.querySelectorAll("input[id], textarea[id]")]
    .filter((field) => field.value !== field.defaultValue)
    .map((field) => [field.id, field.value]);
  fill(container, ...children);
  for (const [id, value] of typed) {
    const field = container.querySelector(`#${CSS.escape(id)}`);
    if (field) field.value = value;
  }
}

// Put new children in; who had the focus keeps it, when it is there again, and
// what was unfolded stays unfolded.
export function fill(container, ...children) {
  const mark = focusMark(container);
  const open = new Set([...container.querySelectorAll("details[open][data-key]")]
    .map((details) => details.dataset.key));
  container.replaceChildren(...nodes(children));
  for (const details of container.querySelectorAll("details[data-key]"))
    if (open.has(details.dataset.key)) details.open = true;
  if (mark !== null) container.querySelector(mark)?.focus({ preventScroll: true });
}
