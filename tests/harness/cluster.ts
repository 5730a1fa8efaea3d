import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, addressOf, LOOPBACK, withSession } from "../../jobs/backup/address.js";
import { execute, postgresTool, serverMajor } from "../../jobs/backup/postgres_tool.js";
import { freePort, serverOwner, withServer } from "../../jobs/backup/server.js";
import type { Owner } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { eventually } from "./eventually.js";
import { testSettings } from "./settings.js";

const PASSWORD = "cluster";

/** A PostgreSQL of a test's own, with the platform's roles, that archives its log: for what a shared one is too good for. */
export class Cluster {
  readonly folder: string;
  readonly wal: string;
  readonly port: number;
  /** Whose its files are and who its servers run as; undefined: we. */
  readonly owner: Owner | undefined;
  readonly major: number;

  private constructor(port: number, owner: Owner | undefined, major: number) {
    this.folder = mkdtempSync(join(tmpdir(), "payments-cluster-"));
    this.wal = this.own("wal");
    this.port = port;
    this.owner = owner;
    this.major = major;
    if (owner) {
      for (const path of [this.folder, this.wal]) {
        chownSync(path, owner.uid, owner.gid);
      }
    }
    chmodSync(this.folder, 0o755);
  }

  static async create(): Promise<Cluster> {
    const major = await withSession(addressOf(testSettings()), serverMajor);
    const cluster = new Cluster(await freePort(), await serverOwner(), major);
    const file = join(cluster.folder, "password");
    writeFileSync(file, PASSWORD);
    const auth = ["--username=postgres", `--pwfile=${file}`, "--auth=scram-sha-256"];
    await execute(
      await postgresTool("initdb", major),
      ["-D", join(cluster.folder, "data"), "-N", "-E", "UTF8", ...auth],
      {
        owner: cluster.owner,
      },
    );
    return cluster;
  }

  /** A folder in the cluster's, of the test's user. */
  own(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  settings(more: Record<string, string> = {}): Record<string, string> {
    const password = {
      POSTGRES_PASSWORD: PASSWORD,
      POSTGRES_ADMIN_PASSWORD: PASSWORD,
      POSTGRES_BACKUP_PASSWORD: PASSWORD,
      POSTGRES_APP_PASSWORD: PASSWORD,
    };
    return { POSTGRES_PORT: String(this.port), ...password, BACKUP_WAL_DIR: this.wal, ...more };
  }

  /** Runs `work` while a server is up on a data directory. */
  async up<T>(
    work: () => Promise<T>,
    data = join(this.folder, "data"),
    more: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    // A copy of the script where the server's user can read it, as the local stack makes one.
    const script = join(this.folder, "wal_archive.sh");
    writeFileSync(script, readFileSync(join(packageRoot, "scripts", "wal_archive.sh")), { mode: 0o755 });
    return withServer(
      {
        postgres: await postgresTool("postgres", this.major),
        data,
        log: join(this.folder, "log"),
        owner: this.owner,
        ready: () => this.superuser("SELECT", "postgres"),
        settings: {
          port: String(this.port),
          listen_addresses: "127.0.0.1",
          unix_socket_directories: "",
          fsync: "off",
          archive_mode: "on",
          archive_command: `${script} "%p" "%f" '${this.wal}'`,
          max_locks_per_transaction: "256",
          ...more,
        },
      },
      work,
    );
  }

  /** Roles and databases, by db/roles.sql and db/datalake.sql. @param as who has them made; by default the superuser */
  async provision(database: string, as: Address = this.#address("postgres")): Promise<void> {
    const names = ["admin", "loader", "reader", "exporter", "backup", "app", "lake"];
    const set = [`\\set dbname ${database}`, ...names.map((name) => `\\set ${name}_password '${PASSWORD}'`)];
    const [roles, lake] = ["roles.sql", "datalake.sql"].map((name) =>
      readFileSync(join(packageRoot, "db", name), "utf8"),
    );
    const input = `${set.join("\n")}\n${roles}\n\\connect datalake\n${lake}`;
    await execute(await postgresTool("psql", this.major), ["-Xq"], { address: as, input });
  }

  /** Runs `work` beside a standby on `port` that streams from this server; its copy is made once, in `standby`. */
  async withStandby<T>(port: number, work: () => Promise<T>): Promise<T> {
    const data = join(this.folder, "standby");
    if (!existsSync(data)) {
      const address = { ...this.#address("postgres"), user: "payments_backup" };
      await this.superuser("SELECT pg_create_physical_replication_slot('standby', true)", "postgres");
      const args = ["-D", data, "--write-recovery-conf", "--checkpoint=fast", "--slot=standby"];
      const tool = await postgresTool("pg_basebackup", this.major);
      await execute(tool, args, { address, owner: this.owner });
    }
    const streams = async () => {
      const state = await this.superuser<string>("SELECT max(state) FROM pg_stat_replication", "postgres");
      await this.superuser("SELECT", "postgres", port);
      return state === "streaming";
    };
    return this.up(
      async () => {
        await eventually("the standby streams", () => streams().catch(() => false), { withinMs: 30_000 });
        return work();
      },
      data,
      { port: String(port), archive_mode: "off" },
    );
  }

  /** The one value that a statement gives. @param port of a standby */
  async superuser<T>(sql: string, database: string, port = this.port): Promise<T> {
    return withSession({ ...this.#address(database), port }, async (pool) => {
      const { rows } = await pool.query(sql);
      return Object.values((rows[0] ?? {}) as object)[0] as T;
    });
  }

  #address(database: string) {
    return { ...LOOPBACK, port: this.port, user: "postgres", password: PASSWORD, database };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
