// What is open now: live grants, and the sessions that hosts report.

import { el, fill } from "./dom.js";
import { card, chip, empty, heading, moment, onChange, relative, tags, waiting }
  from "./parts.js";
import * as words from "./words.js";

function grantCard(grant) {
  const [until, from] = [words.at(grant.not_after), words.at(grant.not_before)];
  return el("li", { class: "card link", "data-grant": grant.id },
    el("h2", {}, el("a", { href: `#/grants/${grant.id}`, "data-key": grant.id },
      `${grant.engineer} on ${grant.hosts.length <= 2 ? words.all(grant.hosts)
        : words.count(grant.hosts.length, "host")}`)),
    el("div", { class: "row" }, chip(grant.state),
      el("span", { class: "small muted" }, grant.state === "scheduled" ? "begins "
        : "ends ", relative(grant.state === "scheduled" ? from : until))),
    el("div", { class: "row small" }, tags([...grant.logins, ...grant.services]),
      el("span", { class: "muted" }, grant.tenant)));
}

function sessionRow(session) {
  const end = words.at(session.ends_at);
  return el("tr", { "data-session": session.id },
    el("td", { "data-label": "Host" }, session.host),
    el("td", { "data-label": "Who" }, session.engineer ?? "unknown",
      session.login && el("span", { class: "muted" }, ` as ${session.login}`)),
    el("td", { "data-label": "Since" }, moment(words.at(session.opened_at)),
      session.rhost && el("div", { class: "small muted" }, `from ${session.rhost}`)),
    el("td", { "data-label": "Ends" }, end === null ? "–" : relative(end)),
    el("td", {}, session.grant && el("a", { href: `#/grants/${session.grant}`,
      "data-key": session.id }, "See and revoke")));
}

export function accessView(ctx) {
  const list = el("div", {}, waiting());
  const show = onChange(({ grants, sessions }) => {
    fill(list,
      grants.length === 0
        ? empty("open", "No door is open", "No approved access is running or planned.")
        : el("section", {}, el("h2", {}, "Grants"),
          el("ul", { class: "cards" }, grants.map(grantCard))),
      card("Sessions in progress",
        el("p", { class: "muted small" }, "As their hosts report them. Revoking a " +
          "grant ends the sessions that rest on it."),
        sessions.length === 0 ? el("p", {}, "Nobody is logged in.")
          : el("div", { class: "scroll" }, el("table", { class: "stack" },
            el("caption", { class: "unseen" }, "Sessions in progress"),
            el("thead", {}, el("tr", {}, ["Host", "Who", "Since", "Ends"].map((name) =>
              el("th", { scope: "col" }, name)),
            el("th", { scope: "col" }, el("span", { class: "unseen" }, "Grant")))),
            el("tbody", {}, sessions.map(sessionRow))))));
  });
  return {
    title: "Access",
    element: el("div", {}, heading("Access", { lead: "Who may enter now or soon, " +
      "and who is inside." }), list),
    async refresh() {
      const [active, scheduled, sessions] = await Promise.all([
        ctx.api.list("/v1/grants?state=active"),
        ctx.api.list("/v1/grants?state=scheduled"),
        ctx.api.list("/v1/sessions?state=live")]);
      show({ grants: [...active.items, ...scheduled.items], sessions: sessions.items });
    },
  };
}
