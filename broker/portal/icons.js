// Small pictures beside words. They never stand alone, so readers of screens
// are not told of them.

const PATHS = {
  inbox: "M3 13h5l1.5 3h5L16 13h5M5 5h14l2 8v6H3v-6z",
  open: "M5 11h14v10H5zM8 11V7a4 4 0 0 1 7.7-1.5M12 15v2",
  history: "M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5M12 8v4.5l3 1.8",
  rules: "M12 3l7.5 3v5.5c0 4.6-3.1 8-7.5 9.5-4.4-1.5-7.5-4.9-7.5-9.5V6zM9 12l2.2 2.2L15.5 10",
  ask: "M12 5v14M5 12h14",
  me: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
  good: "M4.5 12.5l5 5 10-11",
  bad: "M6 6l12 12M18 6L6 18",
  wait: "M12 7v5.5l3.5 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  unsure: "M12 8v5M12 16.5v.1M12 3.5l9.5 17h-19z",
  past: "M6 12h12",
  shell: "M4 5h16v14H4zM7.5 9l3 3-3 3M12.5 15h4",
  power: "M13 3L5 13.5h6L10 21l8.5-11h-6z",
  passkey: "M9 13a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2.5 20a6.5 6.5 0 0 1 10-5.5M17 13.5a3 3 0 1 0-1.2 5.7V22l1.2 1 1.2-1-.9-1 .9-1-.6-1a3 3 0 0 0-.6-5.5z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24",
    fill: "none", stroke: "currentColor", "stroke-width": "2",
    "stroke-linecap": "round", "stroke-linejoin": "round",
    "aria-hidden": "true", focusable: "false" }))
    svg.setAttribute(key, value);
  path.setAttribute("d", PATHS[name] ?? PATHS.past);
  svg.append(path);
  return svg;
}
