// Lines for a terminal, to copy: sign a text with ssh-keygen, send it with
// curl.

const END = "END_OF_TEXT";

// A word that a shell takes as it is.
export function quote(text) {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}

// No line of a document is the end mark: each but the first has a colon.
export function writeLines(file, text) {
  return `cat > ${file} <<'${END}'\n${text}${END}`;
}

export function signLine(file, namespace) {
  return `ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n ${namespace} ${file}`;
}

// withText: the body holds the text beside the signature. more: other members.
export function sendLines(url, file, { withText, more = {} }) {
  const words = Object.entries(more)
    .map(([name, value]) => ` --arg ${name} ${quote(value)}`);
  const members = [...(withText ? ["$text"] : []), "$signature",
    ...Object.keys(more).map((name) => `$${name}`)];
  return `jq -n${withText ? ` --rawfile text ${file}` : ""} ` +
    `--rawfile signature ${file}.sig${words.join("")} \\\n` +
    `  '{${members.join(", ")}}' |\n` +
    "  curl --fail-with-body -H 'Content-Type: application/json' \\\n" +
    `  --data-binary @- ${quote(url)}`;
}
