/**
 * What a user's shell says to other clients must not steer ours: node-postgres takes all it is not told from PG* and NODE_PG_*.
 * To be imported before the driver, which reads some of them at once.
 */
for (const name of Object.keys(process.env)) {
  if (/^(PG|NODE_PG_)/.test(name)) {
    delete process.env[name];
  }
}
