import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

const FIRST = "payments_x@localhost";
const MEMBERS = [FIRST, "payments_x_2@localhost", "payments_x_3@localhost"];

let folder: string;
const file = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leaving-"));
  mkdirSync(file("bin"));
  writeFileSync(file("members"), `${MEMBERS.join("\n")}\n`);
  for (const node of ["rabbitmq-2", "rabbitmq-3"]) {
    mkdirSync(join(file(node), "mnesia"), { recursive: true });
  }
  const fake = {
    rabbitmqctl: `case $2 in
      forget_cluster_node) grep -qxF "$3" '${file("members")}' && sed -i "/^$3\\$/d" '${file("members")}';;
      cluster_status) sed 's/.*/"&"/' '${file("members")}';;
    esac`,
    "rabbitmq-queues": "true",
  };
  for (const [name, script] of Object.entries(fake)) {
    writeFileSync(join(file("bin"), name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(file("bin"), name), 0o755);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What `up` does with the nodes. @param stopAt at which step it is interrupted; 0: at none. @returns how many steps there were. */
function up(cluster: "leaving" | "wanted", stopAt: number): number {
  writeFileSync(file("steps"), "0");
  const script = `set -euo pipefail
    cd '${packageRoot}/scripts'; source lib.sh; source stack_rabbitmq.sh; source stack_cluster.sh
    STACK_ID=x STACK_DIR='${folder}' DATA_DIR='${folder}' RMQ_HOME='${folder}'
    declare -A STATE=([CLUSTER]=${cluster})
    step() {
      local -i n=$(<'${file("steps")}')+1
      echo "$n" >'${file("steps")}'
      ((n != ${stopAt})) || exit 9
      "$@"
    }
    rmq_setup() { RMQ_PROGRAM=rabbitmq\${1:+-$1} RMQ_KEY=R RMQ_LOG=/dev/null/none RMQ_AS=(step) NODE=\${1:-}; RMQ_DIR=$DATA_DIR/$RMQ_PROGRAM; }
    # A node that has data, but that the others have forgotten, does not come up.
    cluster_start_node() {
      [[ ! -d $RMQ_DIR/mnesia ]] || grep -qxF "$(rmq_node_name "$NODE")" '${file("members")}' || die "inconsistent cluster"
      # One that has none is a new one, and no member may have its name.
      [[ -d $RMQ_DIR/mnesia ]] || ! grep -qxF "$(rmq_node_name "$NODE")" '${file("members")}' || die "already a member"
      mkdir -p "$RMQ_DIR/mnesia"
      : >"$DATA_DIR/up-$NODE"
    }
    rmq_wait() { [[ -e $DATA_DIR/up-$NODE ]] || die "$RMQ_PROGRAM did not start"; }
    rmq_stop_node() { step rm "$DATA_DIR/up-$NODE"; }
    save_state() { step true; }
    rmq_setup
    cluster_start
    up_cluster`;
  try {
    execFileSync("bash", ["--norc", "-pc", script], {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
  } catch (error) {
    if (stopAt === 0) {
      throw error;
    }
  }
  // As after a reboot: nothing runs.
  for (const node of [2, 3]) {
    rmSync(file(`up-${node}`), { force: true });
  }
  return Number(readFileSync(file("steps"), "utf8"));
}

const members = () => readFileSync(file("members"), "utf8").trim().split("\n");
const folders = () => ["rabbitmq-2", "rabbitmq-3"].filter((node) => existsSync(file(node)));

it("two nodes leave", () => {
  expect(up("leaving", 0)).toBeGreaterThan(8);
  expect({ members: members(), folders: folders() }).toEqual({ members: [FIRST], folders: [] });
});

it.each(Array.from({ length: 14 }, (_, n) => n + 1))(
  "interrupted at step %i, `up` leaves again and ends it",
  (stopAt) => {
    up("leaving", stopAt);
    up("leaving", 0);
    expect({ members: members(), folders: folders() }).toEqual({ members: [FIRST], folders: [] });
  },
);
