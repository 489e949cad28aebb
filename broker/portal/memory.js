// What this browser remembers for a person's comfort: a name, which passkeys
// were used. Nothing that opens anything.

const NAME = "lockbox.principal";
const PASSKEYS = "lockbox.passkeys"; // {key line: {id, purpose, principal}}

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

// purpose: "sign in" or "approve"; id: of the credential; line: its key.
export function rememberPasskey(line, { id, purpose, principal }) {
  write(PASSKEYS, JSON.stringify({ ...passkeys(),
    [line]: { id, purpose, principal } }));
}

// Passkeys that this browser has used: [{line, id}, ...].
export function rememberedPasskeys(purpose, principal) {
  return Object.entries(passkeys())
    .filter(([, one]) => one?.purpose === purpose && one.principal === principal &&
      typeof one.id === "string")
    .map(([line, { id }]) => ({ line, id }));
}
