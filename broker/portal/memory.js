// What this browser remembers for a person's comfort: a name, which passkeys
// were used. Nothing that opens anything.

const NAME = "lockbox.principal";
const PASSKEYS = "lockbox.passkeys"; // {key line: credential id}

function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing: the person types it again.
  }
}

export const rememberedName = () => read(NAME) ?? "";
export const rememberName = (principal) => write(NAME, principal);

function passkeys() {
  try {
    return Object(JSON.parse(read(PASSKEYS) ?? "{}"));
  } catch {
    return {};
  }
}

// Credential ids of those key lines that this browser has used.
export function passkeyIds(lines) {
  const known = passkeys();
  return lines.map((line) => known[line]).filter((id) => typeof id === "string");
}

export function rememberPasskey(line, id) {
  write(PASSKEYS, JSON.stringify({ ...passkeys(), [line]: id }));
}

// Remembered key lines for an RP-ID's passkeys, as [line, id].
export function rememberedPasskeys() {
  return Object.entries(passkeys());
}
