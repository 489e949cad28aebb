// The customer's own page.

import { Api } from "../portal/api.js";
import { el, fill } from "../portal/dom.js";
import { readConfig } from "./config.js";
import { walk } from "./chain.js";
import { signIn } from "./enter.js";

fill(document.body, el("main", {}, el("h1", {}, "Lockbox")));
