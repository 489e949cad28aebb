// An engineer asks: what, where, for how long, and why.

import { newId } from "./bytes.js";
import { requestCode, documentId, valid, visible, write, REASON_TYPES }
  from "./documents.js";
import { el, fill } from "./dom.js";
import { action, card, choices, code, field, fromLocalInput, heading, notice, now,
  select, tidy } from "./parts.js";
import { quote } from "./shell.js";
import { putPanel } from "./sign_panel.js";
import * as words from "./words.js";

const DURATIONS = [900, 1800, 3600, 7200, 14400, 28800, 43200, 86400];

const REASONS = {
  customer_initiated_support: "The customer asked for support",
  provider_initiated_service: "Planned work of ours",
  provider_response_to_alert: "An alert of ours",
  provider_initiated_review: "A review of ours",
  third_party_data_request: "A third party demands data",
};

const split = (text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))].sort();

// The lockbox line that asks for the same.
function commandOf(asked) {
  const many = (flag, list) => list.map((item) => ` --${flag} ${quote(item)}`).join("");
  return `lockbox request create --tenant ${quote(asked.tenant)}` +
    many("host", asked.host) + many("login", asked.login) +
    many("service", asked.service) + ` --duration ${asked.duration}s` +
    (asked.start === null ? "" : ` --start ${new Date(asked.start * 1000)
      .toISOString().replace(".000Z", "Z")}`) +
    (asked.ticket === null ? "" : ` --ticket ${quote(asked.ticket)}`) +
    ` --reason-type ${asked.reason_type} --reason ${quote(asked.reason)}`;
}

function form(ctx, tenants, hostsOf) {
  const tenant = field("Customer", { id: "ask-tenant",
    input: select(tenants.map(({ name }) => [name, name]), tenants[0]?.name) });
  const hosts = field("Hosts", { id: "ask-hosts", name: "textarea", rows: 2,
    spellcheck: "false", autocapitalize: "none", hint: "One a line, at most 32." });
  const known = el("div", { class: "row" });
  const logins = field("Accounts", { id: "ask-logins", spellcheck: "false",
    autocapitalize: "none", placeholder: "deploy", hint: "On those hosts, with spaces between." });
  const services = choices("To do", [["sshd", ...words.service("sshd")],
    ["sudo", ...words.service("sudo")], ["su", ...words.service("su")]],
  { chosen: ["sshd"], name: "ask-service" });
  const duration = field("For how long", { id: "ask-duration", input: select(
    DURATIONS.map((seconds) => [seconds, words.span(seconds)]), 7200) });
  const start = field("Not before", { id: "ask-start", type: "datetime-local",
    hint: "Your own time. Empty: as soon as it is approved." });
  const type = field("What kind of reason", { id: "ask-reason-type", input: select(
    REASON_TYPES.map((name) => [name, REASONS[name]]), REASON_TYPES[0]) });
  const ticket = field("Ticket", { id: "ask-ticket", maxlength: 64 });
  const reason = field("Why", { id: "ask-reason", name: "textarea", maxlength: 512,
    hint: "The customer reads it, and decides by it." });
  const keys = field("Fingerprints of the SSH keys you log in with", { id: "ask-keys",
    name: "textarea", rows: 2, class: "mono", spellcheck: "false",
    value: "", hint: "As ssh-keygen -l shows them, at most four." });
  if (ctx.me.sign_in === "ssh" || ctx.me.sign_in === undefined)
    keys.input.value = ctx.me.key;

  async function showHosts() {
    const list = await hostsOf(tenant.input.value);
    fill(known, list.map((name) => el("button", { type: "button", class: "quiet",
      on: { click: () => {
        hosts.input.value = split(`${hosts.input.value} ${name}`).join("\n");
      } } }, `+ ${name}`)));
  }
  tenant.input.addEventListener("change", showHosts);
  showHosts();

  function read() {
    const each = (box, list, kind, most, what) => box.wrong(
      list.length === 0 ? `Name at least one ${what}.`
        : list.length > most ? `At most ${most}.`
          : list.filter((item) => !valid(kind, item))
            .map((item) => `“${item}” is no ${what}.`)[0] ?? null);
    const asked = { tenant: tenant.input.value, engineer: ctx.me.principal,
      host: split(hosts.input.value), login: split(logins.input.value),
      service: services.values(), duration: Number(duration.input.value),
      start: fromLocalInput(start.input.value), extends: null,
      ticket: tidy(ticket.input.value) || null, reason_type: type.input.value,
      reason: tidy(reason.input.value), engineer_key: split(keys.input.value) };
    const wrong = [
      each(hosts, asked.host, "host", 32, "host"),
      each(logins, asked.login, "login", 8, "account"),
      each(keys, asked.engineer_key, "key", 4, "fingerprint"),
      ticket.wrong(asked.ticket === null || visible(asked.ticket) ? null
        : "Only visible text, no doubled spaces."),
      reason.wrong(asked.reason === "" ? "Say why." : visible(asked.reason) ? null
        : "One line of visible text, no doubled spaces."),
      start.wrong(asked.start !== null && asked.start < now()
        ? "That time has passed." : null),
    ].some(Boolean);
    if (wrong || asked.service.length === 0) return null;
    return asked;
  }
  return { read, element: el("div", {}, card("Where", tenant, hosts, known,
    el("div", {}, logins)), card("What for", services,
  el("div", { class: "grid2" }, duration, start)),
  card("Why", type, reason, ticket), card("Your keys", keys)) };
}

export function askView(ctx) {
  const body = el("div", {});
  const panel = el("section", { id: "ask-panel" });
  let drawn = false;

  async function compose(asked) {
    const { broker } = await ctx.api.get("/v1/broker");
    const request = newId(Date.now());
    const text = write("request", { ...asked, broker, request, requested: now() });
    const sign = el("div", {});
    fill(panel, card("Sign it", el("p", {}, "Its code is ",
      code(requestCode(await documentId(text))), ". The customer sees the same one."),
    notice("wait", el("p", {}, "Sign within a few minutes: a request must have been " +
      "written just now.")), sign));
    putPanel(sign, ctx, { id: "ask", label: "Send the request",
      namespace: "lockbox-request-v1", text, file: "request.txt", trust: null,
      path: "/v1/requests", withText: true, command: commandOf(asked),
      send: async (signature) => {
        const got = await ctx.api.post("/v1/requests", { text, signature },
          { idempotent: request });
        ctx.announce(got.covered_by ? "You have this access already."
          : "The request was sent.");
        ctx.go(got.covered_by ? `#/grants/${got.covered_by.id ?? got.covered_by}`
          : `#/requests/${got.id}`);
      } });
    panel.scrollIntoView({ block: "start" });
  }

  return {
    title: "Ask for access",
    element: el("div", {}, heading("Ask for access", { back: { href: "#/",
      text: "Requests" }, lead: "Your manager endorses it, the customer decides. " +
      "Ask for as little as does the job: that is approved sooner." }), body, panel),
    async refresh() {
      if (drawn) return;
      const tenants = (await ctx.api.list("/v1/tenants")).items;
      const hostsOf = async (tenant) => (await ctx.api.list(
        `/v1/hosts?tenant=${encodeURIComponent(tenant)}`)).items.map(({ name }) => name);
      const own = form(ctx, tenants, hostsOf);
      drawn = true;
      fill(body, own.element, action("Show the text to sign", async () => {
        const asked = own.read();
        if (asked === null) own.element.querySelector("[aria-invalid=true]")?.focus();
        else await compose(asked);
      }, { id: "ask-show", tone: "primary" }));
    },
  };
}
