// What a person may decide about a request: approve, approve less, deny,
// endorse, withdraw. Nothing here is drawn anew while somebody works in it.

import { el, fill } from "./dom.js";
import { choose, differs, narrowed } from "./narrowing.js";
import { action, card, checks, choices, facts, field, finish, fromLocalInput, moment,
  notice, select, tags, tidy } from "./parts.js";
import { reviewGrant } from "./review.js";
import { quote } from "./shell.js";
import { putPanel } from "./sign_panel.js";
import { linesOf } from "./trust.js";
import * as words from "./words.js";

const APPROVE = "lockbox-approve-v1";
const DENY = "lockbox-deny-v1";
const STALE = [409, 412, 422];

// Why what was read does not hold any more.
const changed = (error) => error.status === 412
  ? "Somebody acted on the request while you read it." : `${error.message}.`;

// Which decisions this person has: a list of "approve", "deny" ...
export function powersOver({ given, trust }, me, now) {
  const own = given.engineer === me.principal;
  const pending = ["pending_approval", "pending_endorsement"].includes(given.state);
  const may = (namespace) => trust !== null &&
    linesOf(trust, me.principal, namespace, now).length > 0;
  return [
    given.state === "pending_endorsement" && !own && me.roles.includes("manager") &&
      "endorse",
    given.state === "pending_approval" && !own && may(APPROVE) &&
      !given.approvals.some(({ principal }) => principal === me.principal) &&
      "approve",
    pending && !own && may(DENY) && "deny",
    pending && own && me.roles.includes("engineer") && "cancel",
  ].filter(Boolean);
}

const DURATIONS = [900, 1800, 3600, 7200, 14400, 28800, 43200, 86400];

function lessForm(request, longest) {
  const most = Math.min(request.duration, longest);
  const lists = [["hosts", "Hosts", request.host], ["logins", "Accounts", request.login],
    ["services", "May", request.service]].map(([name, title, items]) =>
    [name, choices(title, items.map((item) => [item, name === "services"
      ? words.service(item)[0] : item]), { chosen: items, name: `less-${name}` })]);
  const duration = field("For how long", { id: "less-duration",
    input: select([...DURATIONS.filter((seconds) => seconds < most), most]
      .map((seconds) => [seconds, words.span(seconds)]), most) });
  const start = field("Not before", { id: "less-start", type: "datetime-local",
    hint: "Your own time. Empty: at once." });
  return {
    element: el("div", { class: "sub", id: "less" },
      lists.filter(([, box]) => box.inputs.length > 1).map(([, box]) => box),
      el("div", { class: "grid2" }, duration, start)),
    body: () => choose(request, {
      ...Object.fromEntries(lists.map(([name, box]) => [name, box.values()])),
      duration: Number(duration.input.value),
      not_before: fromLocalInput(start.input.value) === null ? null
        : new Date(fromLocalInput(start.input.value) * 1000).toISOString()
          .replace(".000Z", "Z"),
    }),
  };
}

// The lockbox line that approves the same.
function approveLine(id, body) {
  const many = (flag, list = []) => list.map((item) => ` --${flag} ${quote(item)}`)
    .join("");
  return `lockbox request approve ${id}${many("host", body.hosts)}` +
    many("login", body.logins) + many("service", body.services) +
    (body.duration === undefined ? "" : ` --duration ${body.duration}s`) +
    (body.not_before === undefined ? "" : ` --start ${body.not_before}`);
}

function approvePanel(ctx, path, state, refresh) {
  const { review, trust, given } = state.loaded;
  const longest = trust.document.longest;
  const less = lessForm(review.request, longest);
  const kind = choices("How much", [
    ["all", "All that is asked", `${words.span(Math.min(review.request.duration,
      longest))} on ${words.count(review.request.host.length, "host")}`],
    ["less", "Less than is asked", "Shorter, later, fewer hosts, accounts or powers"],
  ], { type: "radio", chosen: ["all"], boxed: true, name: "how-much",
    on: { change: () => { less.element.hidden = kind.values()[0] !== "less"; clear(); } } });
  const panel = el("div", { id: "approve-draft", "aria-live": "off" });
  const clear = () => fill(panel);
  less.element.hidden = true;
  less.element.addEventListener("input", clear);

  async function draft(extra = {}) {
    const body = { ...(kind.values()[0] === "less" ? less.body() : {}), ...extra };
    const got = await ctx.api.post(`${path}/draft`, body);
    await showText(got, body);
  }

  async function showText(got, body, why = null) {
    const done = await reviewGrant(got.text, review, trust, ctx.now());
    const wrong = got.fixed ? [] : differs(done.grant, review.request, body, longest);
    const all = [...done.checks,
      ...wrong.map((text) => ({ result: "bad", text: `Not what you chose: ${text}.` }))];
    const sound = all.every(({ result }) => result !== "bad");
    const less = narrowed(done.grant, review.request);
    const sign = el("div", {});
    fill(panel, why && notice("wait", el("p", {}, why)),
      el("h3", { tabindex: "-1", id: "approve-words" }, "What you would open"),
      el("div", { class: "sub" }, facts([
        ["Hosts", tags(done.grant.host)], ["Accounts", tags(done.grant.login)],
        ["May", words.all(done.grant.service.map((name) => words.service(name)[0]))],
        ["From", done.grant.not_before <= ctx.now() ? "the moment it is approved"
          : moment(done.grant.not_before)],
        ["Until", moment(done.grant.not_after)]])),
      less.length > 0 && el("p", {}, `Less than asked: ${less.join("; ")}.`),
      got.fixed && notice("open", el("p", {}, "Somebody has approved this very " +
        "text already, so yours must be the same. Other terms are a new text, " +
        "and drop the approvals so far."),
      action("Choose other terms all the same", () => draft({ replace: true }),
        { id: "approve-replace", tone: "quiet" })),
      checks(all), sound ? sign : notice("bad", el("p", {}, "This text must not be signed.")));
    if (sound) putPanel(sign, ctx, {
      id: "approve", label: "Approve", namespace: APPROVE, text: got.text,
      file: "grant.txt", trust, path: `${path}/approve`, withText: true,
      hash: `#/requests/${given.id}`,
      command: body.replace ? null : approveLine(given.id, body),
      send: (armor) => send(got.text, armor),
    });
    document.getElementById("approve-words")?.focus();
  }

  async function send(text, signature) {
    try {
      await ctx.api.post(`${path}/approve`, { text, signature },
        { ifMatch: state.loaded.tag });
    } catch (error) {
      if (!STALE.includes(error.status)) throw error;
      await refresh();
      if (state.powers.includes("approve")) {
        const got = await ctx.api.post(`${path}/draft`, error.code === "draft_old" &&
          kind.values()[0] === "less" ? less.body() : {});
        await showText(got, {}, `${changed(error)} Nothing was approved. This is ` +
          "the text as it stands now: read it again.");
      }
      return;
    }
    await finish(ctx, "You approved.", refresh);
  }

  return el("div", {}, kind, less.element,
    el("div", { class: "actions" }, action("Show the text to sign", () => draft(),
      { id: "approve-draft-show", tone: "primary" })), panel);
}

function denyPanel(ctx, path, state, refresh, guarded) {
  const { given, trust } = state.loaded;
  const reason = field("Why not", { id: "deny-reason", name: "textarea", maxlength: 512,
    hint: "The engineer reads it. It may be left empty." });
  const panel = el("div", {});
  const draw = () => {
    const said = tidy(reason.input.value);
    putPanel(panel, ctx, {
      id: "deny", label: "Deny", tone: "danger", namespace: DENY, text: given.text,
      file: "request.txt", trust, path: `${path}/deny`,
      hash: `#/requests/${given.id}`,
      more: said ? { reason: said } : {},
      command: `lockbox request deny ${given.id}` +
        (said ? ` --reason ${quote(said)}` : ""),
      send: (signature) => guarded(async () => {
        await ctx.api.post(`${path}/deny`, said ? { signature, reason: said }
          : { signature });
        await finish(ctx, "You denied the request.", refresh);
      }),
    });
  };
  reason.input.addEventListener("input", draw);
  draw();
  return el("div", {}, el("p", {}, "One denial settles it, and wins against any " +
    "approval. What you sign is the request itself, in the meaning “deny”."),
  reason, panel);
}

function endorsePanel(ctx, path, state, refresh, guarded) {
  const { given } = state.loaded;
  const panel = el("div", {});
  putPanel(panel, ctx, {
    id: "endorse", label: "Endorse", namespace: "lockbox-endorse-v1",
    text: given.text, file: "request.txt", trust: null, path: `${path}/endorse`,
    command: `lockbox request endorse ${given.id}`,
    send: (signature) => guarded(async () => {
      await ctx.api.post(`${path}/endorse`, { signature }, { ifMatch: state.loaded.tag });
      await finish(ctx, "You endorsed the request.", refresh);
    }),
  });
  return el("div", {}, el("p", {}, "Your endorsement tells the customer that the " +
    "provider stands behind this request. Your key never enters a browser: it " +
    "signs on your own computer."), panel);
}

function cancelPanel(ctx, path, state, refresh, guarded) {
  return action("Withdraw the request", () => guarded(async () => {
    await ctx.api.post(`${path}/cancel`, {}, { ifMatch: state.loaded.tag });
    await finish(ctx, "The request was withdrawn.", refresh);
  }), { id: "cancel", tone: "danger" });
}

const PANELS = {
  approve: ["Approve", "Let them in, wholly or in part", approvePanel],
  deny: ["Deny", "Keep the door shut", denyPanel],
  endorse: ["Endorse", "The provider stands behind it", endorsePanel],
  cancel: ["Withdraw", "You do not need it any more", cancelPanel],
};

// {element, take(loaded)}: take is called with every fresh look at the request.
export function decisionPart(ctx, path, refresh) {
  const element = el("section", { id: "decision" });
  const news = el("div", {});
  const body = el("div", {});
  const state = { loaded: null, powers: [], touched: false, key: null };

  // What was read is not what is there any more: show what is, and say so.
  async function guarded(work) {
    try {
      await work();
    } catch (error) {
      if (![409, 412].includes(error.status)) throw error;
      await refresh();
      fill(news, notice("wait", el("p", { id: "decision-news", tabindex: "-1" },
        `${changed(error)} Nothing was sent. This is how the request stands now.`)));
      document.getElementById("decision-news").focus();
    }
  }

  function draw() {
    const panel = el("div", { id: "decision-panel" });
    const open = (power) => {
      state.touched = true;
      fill(panel, PANELS[power][2](ctx, path, state, refresh, guarded));
    };
    const pick = choices("Your decision", state.powers.map((power) =>
      [power, PANELS[power][0], PANELS[power][1]]), { type: "radio", boxed: true,
      name: "decision", on: { change: (event) => open(event.target.value) } });
    fill(body, state.powers.length > 0 && card("Decide", pick, panel));
    fill(news);
    state.touched = false;
  }

  element.append(news, body);
  return {
    element,
    take(loaded) {
      state.loaded = loaded;
      state.powers = powersOver(loaded, ctx.me, ctx.now());
      if (!loaded.review.sound)
        state.powers = state.powers.filter((power) => power !== "approve" &&
          power !== "endorse");
      // What decides how the panel looks. Nothing else may disturb it.
      const key = JSON.stringify([state.powers, loaded.given.text]);
      const shown = JSON.stringify([loaded.given.draft?.sha256 ?? null,
        loaded.given.approvals.length]);
      if (key !== state.key) draw();
      else if (state.shown !== shown && state.touched)
        fill(news, notice("wait", el("p", {}, "Somebody else has approved in the " +
          "meantime. What you sign may have to be another text now.")));
      state.key = key;
      state.shown = shown;
    },
  };
}
