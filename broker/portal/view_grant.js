// One grant: what is open, until when, and how to close it.

import { parse } from "./documents.js";
import { el, fill } from "./dom.js";
import { action, card, chip, facts, field, finish, heading, moment, notice, onChange,
  problem, services, tags, textBox, tidy, waiting } from "./parts.js";
import { quote } from "./shell.js";
import { putPanel } from "./sign_panel.js";
import { linesOf } from "./trust.js";
import * as words from "./words.js";

const REVOKE = "lockbox-revoke-v1";
const LIVE = ["scheduled", "active"];

function opened(grant) {
  return facts([
    ["Who", grant.engineer],
    ["Hosts", tags(grant.host)],
    ["Accounts", tags(grant.login)],
    ["May", services(grant.service)],
    ["From", moment(grant.not_before)],
    ["Until", moment(grant.not_after)],
    ["Why", el("div", {}, el("p", { class: "reason" }, grant.reason),
      el("p", { class: "small muted" }, words.reasonType(grant.reason_type)))],
    ["Ticket", grant.ticket],
  ]);
}

function closing(given) {
  const { revocation } = given;
  return revocation && notice("bad", el("h2", {}, words.state(given.state)[0]),
    el("p", {}, `By ${revocation.principal}, `, moment(words.at(revocation.at)), "."),
    revocation.reason && el("p", {}, `“${revocation.reason}”`));
}

function revokePart(ctx, path, given, trust, done) {
  const reason = field("Why", { id: "revoke-reason", name: "textarea", maxlength: 512,
    hint: "Everybody concerned reads it. It may be left empty." });
  const panel = el("div", {});
  const draw = () => {
    const said = tidy(reason.input.value);
    putPanel(panel, ctx, {
      id: "revoke", label: "Revoke now", tone: "danger", namespace: REVOKE,
      text: given.text, file: "grant.txt", trust, path: `${path}/revoke`,
      hash: `#/grants/${given.id}`, more: said ? { reason: said } : {},
      command: `lockbox grant revoke ${given.id}${said ? ` --reason ${quote(said)}` : ""}`,
      send: async (signature) => {
        await ctx.api.post(`${path}/revoke`, said ? { signature, reason: said }
          : { signature });
        await finish(ctx, "The grant is revoked.", done);
      },
    });
  };
  reason.input.addEventListener("input", draw);
  draw();
  return card("Revoke", el("p", {}, "The door shuts, and sessions that rest on " +
    "this grant end within seconds. You sign the grant's own text, in the " +
    "meaning “revoke”."), el("details", { "data-key": "revoke", id: "revoke" },
    el("summary", {}, "Revoke this access"), reason, panel));
}

function returnPart(ctx, path, done) {
  return card("Finished early?", el("p", {}, "Hand the access back as soon as you " +
    "are done. Sessions that rest on it end."),
  action("Hand back", async () => {
    await ctx.api.post(`${path}/return`, {});
    await finish(ctx, "You handed the access back.", done);
  }, { id: "return", tone: "danger" }));
}

function stopPart(ctx, path, done) {
  const reason = field("Why", { id: "stop-reason", required: true, maxlength: 512 });
  return card("Stop", el("p", {}, "As a manager you may end what your engineers have."),
    reason, action("Stop this access", async () => {
      if (reason.wrong(reason.input.value.trim() ? null : "Say why.")) return;
      await ctx.api.post(`${path}/stop`, { reason: tidy(reason.input.value) });
      await finish(ctx, "The access was stopped.", done);
    }, { id: "stop", tone: "danger" }));
}

export function grantView(ctx, id) {
  const path = `/v1/grants/${encodeURIComponent(id)}`;
  const top = el("div", {}, waiting());
  const deeds = el("div", { id: "deeds" });
  const done = () => view.refresh();

  const show = onChange((given) => {
    const grant = parse("grant", given.text);
    fill(top, heading(`${grant.engineer} on ${grant.host.length <= 2
      ? words.all(grant.host) : words.count(grant.host.length, "host")}`,
    { back: { href: "#/access", text: "Access" } }),
    el("p", { class: "row" }, chip(given.state),
      el("a", { href: `#/requests/${given.request}` }, "The request behind it")),
    closing(given), card("What is open", opened(grant)),
    card("Approved by", el("ul", {}, given.approvals.map(({ principal, at }) =>
      el("li", {}, `${principal}, `, moment(words.at(at)))))),
    card(null, el("details", { "data-key": "grant-text" },
      el("summary", {}, "The grant exactly as it was signed"),
      textBox(given.text, "grant", { id: "grant-text", save: "grant.txt" }),
      el("p", { class: "small muted wrap mono" }, given.id))));
  });

  // Drawn once for a state: nobody's typing is lost.
  const offer = onChange(async ({ given, trustId }) => {
    const own = given.engineer === ctx.me.principal;
    const chain = trustId && await ctx.trustOf(given.tenant);
    const mine = chain ? linesOf(chain.current, ctx.me.principal, REVOKE,
      ctx.now()) : [];
    fill(deeds, LIVE.includes(given.state) && [
      mine.length > 0 && revokePart(ctx, path, given, chain.current, done),
      own && returnPart(ctx, path, done),
      !own && ctx.me.roles.includes("manager") && stopPart(ctx, path, done)]);
  });

  const view = {
    title: "Access",
    element: el("div", {}, top, deeds),
    async refresh() {
      let given;
      try {
        given = await ctx.api.get(path);
      } catch (error) {
        if (error.status === 0 || error.status === 401) throw error;
        fill(top, heading("Access", { back: { href: "#/access", text: "Access" } }),
          problem(error));
        return;
      }
      const chain = await ctx.trustOf(given.tenant).catch(() => null);
      show(given);
      offer({ given: { ...given, approvals: null },
        trustId: chain?.current.id ?? null });
    },
  };
  return view;
}
