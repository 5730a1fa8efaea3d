/**
 * What a user's shell says to other clients must not steer ours: node-postgres takes all it is not told from PG* and NODE_PG_*.
 * To be imported before the driver, which reads some of them at once. A build puts imports of packages before all else, so programs
 * import this first, and the rest after it is through.
 */
for (const name of Object.keys(process.env)) {
  if (/^(PG|NODE_PG_)/.test(name)) {
    delete process.env[name];
  }
}
