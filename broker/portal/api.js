// The broker's HTTP interface, from a page.
//
// On the broker's own page the session is a cookie that no script sees; on a
// customer's page it is a bearer token that lives in this object only.

export class ApiError extends Error {
  // status 0: no answer came.
  constructor(status, problem) {
    super(problem.title || "The broker did not answer.");
    this.status = status;
    this.detail = problem.detail ?? "";
    this.code = problem.code ?? "";
    this.next = problem.next ?? "";
    this.retryAfter = problem.retryAfter ?? null;
  }
}

const UNREACHABLE = {
  title: "The broker cannot be reached.",
  next: "Nothing was changed. The page tries again by itself.",
};

export class Api {
  // base: "" for the page's own origin, or "https://broker.example".
  constructor(base = "") {
    this.base = base;
    this.token = null;
    // Foreign pages may not send If-None-Match: CORS does not list it.
    this.conditional = base === "";
    this.entryTags = new Map(); // path -> [etag, body] of what was read last
  }

  async call(method, path, { body, type = "application/json", headers = {} } = {}) {
    const send = { ...headers };
    if (body !== undefined) send["Content-Type"] = type;
    if (this.token !== null) send.Authorization = `Bearer ${this.token}`;
    try {
      return await fetch(this.base + path, {
        method, headers: send, cache: "no-store", redirect: "error",
        credentials: this.base === "" ? "same-origin" : "omit",
        referrerPolicy: "no-referrer",
        body: body === undefined || typeof body === "string" ? body
          : JSON.stringify(body),
      });
    } catch {
      throw new ApiError(0, UNREACHABLE);
    }
  }

  async read(answer) {
    const type = answer.headers.get("Content-Type") ?? "";
    const text = await answer.text();
    const value = /json/.test(type) ? JSON.parse(text) : text;
    if (answer.ok) return value;
    const problem = typeof value === "object" ? value
      : { title: `The broker answered ${answer.status}.` };
    problem.retryAfter = Number(answer.headers.get("Retry-After")) || null;
    throw new ApiError(answer.status, problem);
  }

  // Read a path. An unchanged answer is the same object again.
  async get(path) {
    const [tag, before] = this.entryTags.get(path) ?? [];
    const answer = await this.call("GET", path,
      { headers: tag && this.conditional ? { "If-None-Match": tag } : {} });
    if (answer.status === 304) return before;
    const value = await this.read(answer);
    if (answer.headers.get("ETag"))
      this.entryTags.set(path, [answer.headers.get("ETag"), value]);
    return value;
  }

  // The ETag with which a path was read last: what a decision rests on.
  tagOf(path) {
    return this.entryTags.get(path)?.[0] ?? null;
  }

  // ifMatch: an ETag; idempotent: a key, so that sending twice makes one.
  async post(path, body = {}, { ifMatch = null, idempotent = null, type } = {}) {
    const headers = {};
    if (ifMatch !== null) headers["If-Match"] = ifMatch;
    if (idempotent !== null) headers["Idempotency-Key"] = idempotent;
    return this.read(await this.call("POST", path, { body, headers, type }));
  }

  // All pages of a list, at most `most` items: {items, more}.
  async list(path, most = 200) {
    const items = [];
    let cursor = null;
    do {
      const mark = path.includes("?") ? "&" : "?";
      const page = await this.get(cursor === null ? path
        : `${path}${mark}cursor=${encodeURIComponent(cursor)}`);
      items.push(...page.items);
      cursor = page.next_cursor ?? null;
    } while (cursor !== null && items.length < most);
    return { items, more: cursor !== null };
  }
}
