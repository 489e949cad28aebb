// Every customer that the reader may see.

import { el, fill } from "./dom.js";
import { empty, heading, onChange, relative, waiting } from "./parts.js";
import * as words from "./words.js";

function tenantCard(tenant) {
  const off = words.at(tenant.off_until);
  return el("li", { class: "card link", "data-tenant": tenant.name },
    el("h2", {}, el("a", { href: `#/tenants/${tenant.name}`, "data-key": tenant.name },
      tenant.name)),
    el("div", { class: "row small muted" },
      tenant.trust ? [`rules serial ${tenant.trust.serial}`, ", good until ",
        relative(words.at(tenant.trust.good_until))] : "no rules yet",
      off !== null && ["lockbox is off until ", relative(off)]));
}

export function tenantsView(ctx) {
  const list = el("div", {}, waiting());
  const show = onChange((tenants) => fill(list, tenants.length === 0
    ? empty("rules", "No customers yet", "An operator adds them: lockbox tenant add.")
    : el("ul", { class: "cards" }, tenants.map(tenantCard))));
  return {
    title: "Customers",
    element: el("div", {}, heading("Customers"), list),
    async refresh() { show((await ctx.api.list("/v1/tenants")).items); },
  };
}
