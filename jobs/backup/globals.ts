/**
 * The roles of a backup as any new server takes them: each membership granted by whoever runs the statements. pg_dumpall writes
 * who granted it, and from 16 on PostgreSQL refuses a grantor without ADMIN OPTION; the old server's first superuser, who needed
 * none there, is a role like others on a server whose first superuser has another name.
 */
export function withoutGrantors(globals: string): string {
  return globals.replace(/^(GRANT .*) GRANTED BY (?:"(?:[^"\n]|"")+"|[a-z_][a-z0-9_]*);$/gm, "$1;");
}
