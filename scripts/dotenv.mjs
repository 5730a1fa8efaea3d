// For scripts/lib.sh: dotenv.mjs FILE prints its settings as the elements of an associative array of bash.
import { readDotenv } from "../lib/settings/dotenv.mjs";

const [, , path = ".env"] = process.argv;
let read;
try {
  read = readDotenv(path);
} catch (error) {
  read = { values: {}, problems: [error.message] };
}
for (const problem of read.problems) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
for (const [name, value] of Object.entries(read.values)) {
  console.log(`[${name}]=${quoted(value)}`);
}
