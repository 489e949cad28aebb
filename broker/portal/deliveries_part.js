// Mails and webhooks that were sent, or are still to be: what, to whom, and
// whether it arrived.

import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { action, moment, waiting } from "./parts.js";
import * as words from "./words.js";

const STATES = {
  waiting: ["Waits", "wait"], sent: ["Arrived", "good"], failed: ["Failed", "bad"],
  dropped: ["Not sent", "past"],
};

function row(ctx, one, mayRetry, again) {
  const [said, tone] = STATES[one.state] ?? [one.state, "past"];
  return el("tr", { "data-delivery": one.id, "data-state": one.state },
    el("td", { "data-label": "When" }, moment(words.at(one.created_at))),
    el("td", {}, el("strong", {}, words.notice(one.type)),
      el("div", { class: "small muted wrap" }, `${one.channel} to ${one.receiver}`)),
    el("td", {}, el("span", { class: `chip ${tone}` }, icon(tone), said),
      el("div", { class: "small muted" }, [
        one.status ? `answer ${one.status}` : null, one.code,
        words.count(one.attempts, "try", "tries")].filter(Boolean).join(", ")),
      one.next_at && el("div", { class: "small muted" }, "next ",
        moment(words.at(one.next_at)))),
    el("td", {}, mayRetry && one.state !== "sent" && action("Send again", async () => {
      await ctx.api.post(`/v1/deliveries/${encodeURIComponent(one.id)}/retry`);
      ctx.announce("It is sent again.");
      await again();
    }, { tone: "quiet", describe: `Send again to ${one.receiver}` })));
}

// A part that is asked for only when somebody unfolds it.
export function deliveriesPart(ctx, path, { title, key, mayRetry }) {
  const list = el("div", {});
  async function load() {
    const { items, more } = await ctx.api.list(path);
    fill(list, items.length === 0 ? el("p", { class: "muted" }, "Nothing was sent yet.")
      : el("div", { class: "scroll" }, el("table", { class: "stack" },
        el("caption", {}, words.count(items.length, "delivery", "deliveries"),
          more ? ", the newest" : "", "."),
        el("thead", {}, el("tr", {}, ["When", "What and to whom", "State"].map((word) =>
          el("th", { scope: "col" }, word)),
        el("th", { scope: "col" }, el("span", { class: "unseen" }, "Again")))),
        el("tbody", {}, items.map((one) => row(ctx, one, mayRetry, load))))));
  }
  return el("details", { "data-key": key, on: { toggle: async (event) => {
    if (!event.target.open) return;
    fill(list, waiting());
    await load().catch((error) => fill(list, el("p", {}, error.message)));
  } } }, el("summary", {}, title), list);
}
