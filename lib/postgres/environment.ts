/**
 * What a user's shell says to other clients must not steer ours: node-postgres takes all it is not told from PG* (a
 * PGSSLMODE=require, a PGPASSWORD of another role) and NODE_PG_*. Settings name the server, and nothing else does. To be
 * imported before the driver, which reads some of them at once. Programs that we start get what they need by name.
 */
for (const name of Object.keys(process.env)) {
  if (/^(PG|NODE_PG_)/.test(name)) {
    delete process.env[name];
  }
}
